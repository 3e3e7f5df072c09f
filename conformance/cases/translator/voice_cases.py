"""Voices (translator.voice.*); what a voice has to be like, and when it comes, is judged on the wire."""

from __future__ import annotations

from typing import Any

from conformance.cases.context import Blocked, Context, NotOffered
from conformance.cases.registry import case
from conformance.cases.replies import judge_refused
from conformance.cases.translator import offer
from conformance.cases.translator.dialogue import Dialogue, open_session, speech_target, upgrade
from conformance.cases.translator.knocking import control, knock
from conformance.cases.translator.result_cases import voices
from conformance.cases.translator.streams import PARTIAL, SPEECH, TIMING, offered, sentence
from protocol.wire import HttpResponse


async def _spoken(context: Context, **parameters: Any) -> Dialogue:
    """Say an utterance and hear its voice; raises Blocked when the session is refused or no final comes."""
    dialogue = await open_session(context, (SPEECH,), **parameters)
    await dialogue.pcm(sentence(context))
    await dialogue.need_final()
    await voices(dialogue)
    await dialogue.close()
    return dialogue


@case("voice.chosen-by-service", "voice.chosen-by-service", needs=("tts",))
async def chosen_by_service(context: Context) -> None:
    """Ask for speech without naming a voice."""
    opened = await upgrade(context, speech_target(context, (SPEECH,), voice=None))
    if isinstance(opened, HttpResponse):
        expected = "101: without voice the server chooses one"
        context.broken("voice.chosen-by-service", expected, f"status {opened.status}")
        return
    dialogue = Dialogue(context, opened)
    await dialogue.header()
    await dialogue.pcm(sentence(context))
    final = await dialogue.need_final()
    if final.translation:
        heard = await dialogue.voice()
        context.check("voice.chosen-by-service", heard, "the voice of the translation", dialogue.state())


@case("voice.mp3", "voice.mp3", needs=("tts", "mp3"))
async def mp3(context: Context) -> None:
    """Ask for MP3; the same request with WAV is accepted."""
    await _spoken(context, format="audio/wav")
    opened = await upgrade(context, speech_target(context, (SPEECH,), format="audio/mp3"))
    if isinstance(opened, HttpResponse):
        context.broken("voice.mp3", "101 for format=audio/mp3", f"status {opened.status}")
        return
    dialogue = Dialogue(context, opened)
    await dialogue.header()
    await dialogue.pcm(sentence(context))
    final = await dialogue.need_final()
    if final.translation:
        heard = await dialogue.voice()
        wav = heard and dialogue.voices[0].data[:4] == b"RIFF"
        context.check("voice.mp3", heard and not wav, "an MP3 voice", "a WAV file" if wav else dialogue.state())


@case("voice.two-at-once", "voice.follows-final", needs=("tts",))
async def two_at_once(context: Context) -> None:
    """Send two utterances in one go, so that the text of the second has to wait for the voice of the first."""
    dialogue = await open_session(context, (SPEECH, *offered(context, PARTIAL, TIMING)))
    await dialogue.pcm(sentence(context) * 2)
    await dialogue.need_final(2)
    heard = await voices(dialogue)
    context.check("voice.follows-final", heard, "a voice behind each of two finals", dialogue.state())


@case("voice.text-only-languages", "voice.text-only-languages", needs=("tts", "languages"))
async def text_only_languages(context: Context) -> None:
    """Ask for speech in a language without a voice; the same request without speech is accepted."""
    known = await offer.offered(context)
    if known.trouble is not None:
        raise Blocked(known.trouble)
    spoken = {language for _, language in known.voices.values()}
    target = next((key for key in known.text if key not in spoken), None)
    if target is None:
        raise NotOffered("every language that can be written has a voice")
    await control(context, speech_target(context, target=target))
    asked = speech_target(context, (SPEECH,), target=target, voice=None)
    reply = await knock(context, asked, deliberate="translator.client.voice-matches")
    judge_refused(context, "voice.text-only-languages", reply, f"speech in {target}, which has no voice")
