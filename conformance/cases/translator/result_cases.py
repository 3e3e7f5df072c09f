"""Results with every combination of features (translator.final.*, translator.partial.*).

Most of what a result has to be is judged on the wire; these sessions make sure that everything occurs.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from conformance.cases.context import Blocked, Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import SILENCE_MS, STREAM, Dialogue, open_session
from conformance.cases.translator.streams import (
    PARTIAL,
    SPEECH,
    TIMING,
    live,
    need_reference,
    offered,
    sentence,
    silence,
)
from conformance.cases.utterances import recording, utterance

_NOISE_MS = 500
_NOISE_AMPLITUDE = 3000  # of 32768: as loud as speech


@case("result.every-feature", "final.always")
async def every_feature(context: Context) -> None:
    """Say two utterances with every combination of features; each has its finals, and the voices asked for."""
    words = offered(context, PARTIAL, TIMING, SPEECH)
    missing: list[str] = []
    silent = 0
    for features in (chosen for count in range(len(words) + 1) for chosen in combinations(words, count)):
        dialogue = await open_session(context, features)
        await dialogue.pcm(sentence(context) * 2)
        if not await dialogue.final(2):
            missing.append(f"{','.join(features) or 'no feature'}: {dialogue.state()}")
            silent += not dialogue.finals
        elif SPEECH in features:
            await voices(dialogue)
        await dialogue.close()
    if silent == 2 ** len(words):
        raise Blocked(f"no final came with any features: {missing[0]}")
    observed = missing[0] if missing else ""
    context.check("final.always", not missing, "two finals for two utterances, whatever features says", observed)


async def voices(dialogue: Dialogue) -> bool:
    """Wait for the voice of each final that has something to say."""
    return await dialogue.voice(sum(bool(final.translation) for final in dialogue.finals))


@case("partial.offered", "partial.offered", needs=("partial",), time="waits")
async def partial_offered(context: Context) -> None:
    """Speak for some seconds and ask for partials; where a burst gives none, at the pace of speech."""
    spoken = utterance(recording(context, "numbers"))
    dialogue = await open_session(context, (PARTIAL, *offered(context, TIMING)))
    await dialogue.pcm(spoken + silence(SILENCE_MS))
    if await dialogue.final() and dialogue.partials:
        context.kept("partial.offered")
        return
    await dialogue.close()
    paced = await open_session(context, (PARTIAL,))
    await live(paced, spoken)
    if not paced.finals:
        raise Blocked(f"no final came for the utterance: {paced.state()}")
    context.check("partial.offered", bool(paced.partials), "a partial in an utterance of 3 s", paced.state())


@case("final.noise", "final.empty-translation", needs=("recognition",))
async def noise(context: Context) -> None:
    """Send a loud noise without words, then speech: a final without words has no translation and no voice."""
    samples = np.random.default_rng(context.seed).normal(0.0, _NOISE_AMPLITUDE, STREAM.rate * _NOISE_MS // 1000)
    burst = samples.clip(-32768, 32767).astype("<i2").tobytes()
    dialogue = await open_session(context, offered(context, SPEECH))
    await dialogue.pcm(silence(300) + burst + silence(SILENCE_MS) + sentence(context))
    if not await dialogue.final():
        await dialogue.close()
        await need_reference(context)
        raise Blocked(f"no final came behind a noise: {dialogue.state()}")
    first = dialogue.finals[0]
    if first.recognition:
        return  # the noise was not taken for speech, or some words were heard in it: neither is wrong
    context.check("final.empty-translation", not first.translation, "an empty translation", repr(first.translation))
    await dialogue.final(2)
