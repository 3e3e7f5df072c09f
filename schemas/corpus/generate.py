"""Make the speech corpus again: the WAV files of this folder and their manifest.

    python3 -m venv /tmp/corpus-venv
    /tmp/corpus-venv/bin/pip install hibari-tts==0.2.1 onnxruntime==1.32.0 soxr==1.1.0 numpy==2.4.6
    /tmp/corpus-venv/bin/python schemas/corpus/generate.py [DIRECTORY]

Without DIRECTORY the files beside this script are replaced. The voice runs on the CPU with a fixed seed, so
two runs on one machine give equal bytes; another processor or another release of a dependency may change
single samples, hence the checksums. Only this script needs the voice; the installed package never does.

Each file is 0.2 s of silence, speech, 0.3 s of silence. Speech fills whole frames of 20 ms, so that the
bounds in the manifest are exact and pauses have the length that they claim.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import wave
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

RATE = 16000
FRAME = RATE // 50  # 20 ms
LEAD_MS, TAIL_MS, PAUSE_MS, BACKGROUND_MS = 200, 300, 1600, 3000
SPEECH_DBFS = -22.0  # RMS of every utterance
THRESHOLD_DBFS = -50.0  # a frame above it is speech
NOISE_DBFS = -55.0  # steady, and below the threshold: not speech
BRIDGE_MS = 400  # a shorter gap is a pause inside an utterance
FADE = RATE // 200  # 5 ms at both cuts, so that none clicks
SEED = 0
VOICE = "hibari-tts 0.2.1, voice heart (American English, female)"
FULL_SCALE = 32768.0

Samples = Sequence[float]  # full scale is 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One recording to make: what is said, an utterance an item, and which of its words are profanities."""

    id: str
    utterances: tuple[str, ...] = ()
    profanities: tuple[str, ...] = ()
    noise: bool = False


PLANS = (
    Plan("clear-1", ("The train to the airport leaves at half past nine.",)),
    Plan("clear-2", ("Please send me the report before Friday.",)),
    Plan("numbers", ("One, two, three, four, five, six, seven, eight, nine, ten.",)),
    Plan("pair", ("I would like a cup of coffee.", "Can you tell me where the station is?")),
    Plan("profanity", ("My boss is a jackass, but the coffee is good.",), ("jackass",)),
    Plan("silence"),
    Plan("noise", noise=True),
)


def dbfs(samples: Samples) -> float:
    """Return the RMS level of samples of full scale 1.0, in dB below full scale; -inf for digital silence."""
    power = sum(value * value for value in samples) / len(samples) if samples else 0.0
    return 10 * math.log10(power) if power else -math.inf


def silence(ms: int) -> list[float]:
    """Return `ms` milliseconds of zeros."""
    return [0.0] * (RATE * ms // 1000)


def bounds(samples: Samples) -> list[tuple[int, int]]:
    """Return start and end of each utterance in ms, from the energy of frames of 20 ms."""
    found: list[tuple[int, int]] = []
    for at in range(0, len(samples), FRAME):
        if dbfs(samples[at : at + FRAME]) <= THRESHOLD_DBFS:
            continue
        start, end = at * 1000 // RATE, (at + FRAME) * 1000 // RATE
        if found and start - found[-1][1] < BRIDGE_MS:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def scale(samples: Samples, target_dbfs: float) -> list[float]:
    """Return the samples at the RMS level asked for; ValueError when that would clip."""
    gain = 10 ** ((target_dbfs - dbfs(samples)) / 20)
    if gain * max(abs(value) for value in samples) >= 1.0:
        raise ValueError(f"speech at {target_dbfs} dBFS would clip; lower SPEECH_DBFS")
    return [value * gain for value in samples]


def trim(samples: Samples) -> list[float]:
    """Return the speech alone: cut at the first and last frame with energy, levelled, faded in and out."""
    window = FRAME // 4
    loud = scale(samples, SPEECH_DBFS)
    voiced = [at for at in range(0, len(loud), window) if dbfs(loud[at : at + window]) > THRESHOLD_DBFS]
    speech = loud[voiced[0] : voiced[-1] + window]
    speech += [0.0] * (-len(speech) % FRAME)
    while dbfs(speech[-FRAME:]) <= THRESHOLD_DBFS:  # padding can make the last frame count as silence
        del speech[-FRAME:]
    speech = scale(speech, SPEECH_DBFS)
    for at in range(FADE):
        speech[at] *= at / FADE
        speech[-1 - at] *= at / FADE
    return speech


def compose(plan: Plan, speak: Callable[[str], Samples], noise: Callable[[int], Samples]) -> list[float]:
    """Return a recording's samples."""
    if not plan.utterances:
        return list(noise(RATE * BACKGROUND_MS // 1000)) if plan.noise else silence(BACKGROUND_MS)
    samples = silence(LEAD_MS)
    for index, text in enumerate(plan.utterances):
        samples += (silence(PAUSE_MS) if index else []) + trim(speak(text))
    return samples + silence(TAIL_MS)


def write(path: Path, samples: Samples) -> list[float]:
    """Write 16-bit mono RIFF/WAVE and return the samples as they were rounded."""
    pcm = array("h", (round(value * (FULL_SCALE - 1)) for value in samples))
    if sys.byteorder == "big":
        pcm.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm.tobytes())
    return [value / FULL_SCALE for value in pcm]


def entry(plan: Plan, path: Path, samples: Samples) -> dict[str, object]:
    """Return a recording's entry in the manifest; ValueError when the energy contradicts the plan."""
    found = bounds(samples)
    if len(found) != len(plan.utterances):
        raise ValueError(f"{plan.id}: {len(plan.utterances)} utterances planned, energy shows {found}")
    return {
        "id": plan.id,
        "file": path.name,
        "language": "en-US",
        "text": " ".join(plan.utterances),
        "utterances": [
            {"text": text, "start_ms": start, "end_ms": end}
            for text, (start, end) in zip(plan.utterances, found, strict=True)
        ],
        "profanities": list(plan.profanities),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "voice": VOICE if plan.utterances else None,
    }


def main(directory: Path) -> None:
    """Write all recordings and `manifest.json` into the directory."""
    import numpy as np  # noqa: PLC0415 - needed here only, as is the voice
    import soxr  # noqa: PLC0415 - the same

    voice = import_module("hibari").Hibari()  # it ships no types
    random = np.random.default_rng(SEED)

    def speak(text: str) -> Samples:
        spoken = soxr.resample(voice(text, seed=SEED), voice.sample_rate, RATE, quality="VHQ")
        return [float(value) for value in spoken]

    def noise(count: int) -> Samples:
        return scale([float(value) for value in random.normal(0.0, 0.001, count)], NOISE_DBFS)

    directory.mkdir(parents=True, exist_ok=True)
    entries = []
    for plan in PLANS:
        path = directory / f"{plan.id}.wav"
        entries.append(entry(plan, path, write(path, compose(plan, speak, noise))))
    manifest = json.dumps({"recordings": entries}, indent=2, ensure_ascii=False)
    (directory / "manifest.json").write_text(manifest + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
