"""What the four timing members say (translator.timing.*), whatever the engine makes of the words.

The oracle is the stream itself: silence put in front moves an utterance by its length, and the same utterance said
again stands as far behind the first as it was sent behind it.
"""

from __future__ import annotations

from conformance.cases.context import Context
from conformance.cases.registry import case
from conformance.cases.translator.dialogue import SILENCE_MS, STREAM, open_session
from conformance.cases.translator.streams import TIMING, near, seconds, silence, timing_of
from conformance.cases.utterances import recording, samples
from conformance.corpus import Recording
from protocol.translator.messages import Timing

_PREFIX_MS = 5000
_TOLERANCE_S = 0.5
_ENDING_S = 3.5  # silence at the end may count for others


async def _hear(context: Context, spoken: Recording, lead_ms: int, times: int) -> list[Timing]:
    """Say a recording some times behind silence; return the timing of each final."""
    dialogue = await open_session(context, (TIMING,))
    await dialogue.pcm(silence(lead_ms) + _once(spoken) * times)
    await dialogue.need_final(times)
    await dialogue.close()
    return [timing_of(dialogue, index) for index in range(times)]


def _once(spoken: Recording) -> bytes:
    return samples(spoken, STREAM.rate) + silence(SILENCE_MS)


@case("timing.offsets", "timing.ticks", "timing.offset-from-start", "timing.position-from-start", needs=("timing",))
async def offsets(context: Context) -> None:
    """Say a sentence twice, then once behind 5 s of silence: times and positions move with it."""
    spoken = recording(context, "clear-1")
    first, second = await _hear(context, spoken, 0, 2)
    (moved,) = await _hear(context, spoken, _PREFIX_MS, 1)
    distance = len(_once(spoken)) / STREAM.bytes_per_second
    start, lasts = (ms / 1000 for ms in (spoken.utterances[0].start_ms, spoken.duration_ms))

    sizes = [seconds(timing.size_ticks) for timing in (first, second, moved)]
    plausible = all(_plausible(size, spoken) for size in sizes)
    expected = f"audioTimeSize of about {lasts * 10_000_000:.0f} ticks"
    context.check("timing.ticks", plausible, expected, " and ".join(f"{size * 10_000_000:.0f}" for size in sizes))
    if plausible:
        times = [seconds(timing.offset_ticks) for timing in (first, second, moved)]
        _judge_starts(context, "timing.offset-from-start", "audioTimeOffset", times, start, distance)

    rate = STREAM.bytes_per_second
    places = [timing.position_bytes / rate for timing in (first, second, moved)]
    requirement, expected = "timing.position-from-start", f"audioSizeBytes of about {lasts * rate:.0f}"
    if all(_plausible(timing.size_bytes / rate, spoken) for timing in (first, second, moved)):
        _judge_starts(context, requirement, "audioStreamPosition", places, start, distance)
    else:
        context.broken(requirement, expected, str(first.size_bytes))


def _plausible(size: float, spoken: Recording) -> bool:
    """Tell whether a size, in seconds, can be that of the utterance: half of it is heard, and not much is added."""
    bounds = spoken.utterances[0]
    lasts = (bounds.end_ms - bounds.start_ms) / 1000
    return lasts / 2 <= size <= lasts + _ENDING_S


def _judge_starts(
    context: Context, requirement: str, member: str, heard: list[float], start: float, distance: float
) -> None:
    """Judge where three utterances start: at the beginning, `distance` behind it, and behind the prefix (seconds)."""
    first, second, moved = heard
    prefix = _PREFIX_MS / 1000
    kept = near(first, start) and near(second - first, distance) and near(moved - first, prefix)
    due = (start, start + distance, start + prefix)
    expected = f"{member} at about {', '.join(f'{value:.1f}' for value in due)} s of the stream"
    context.check(requirement, kept, expected, ", ".join(f"{value:.3f}" for value in heard))


@case("timing.size", "timing.size-without-silence", needs=("timing",))
async def size(context: Context) -> None:
    """Say a sentence and send silence: the silence does not count to the size."""
    spoken = recording(context, "clear-2")
    (heard,) = await _hear(context, spoken, 0, 1)
    end, bounds = seconds(heard.offset_ticks + heard.size_ticks), spoken.utterances[0]
    expected = f"an end at about {bounds.end_ms / 1000:.1f} s, where the speech ends"
    kept = end <= bounds.end_ms / 1000 + _TOLERANCE_S
    context.check("timing.size-without-silence", kept, expected, f"an end at {end:.1f} s")
