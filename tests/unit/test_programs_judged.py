"""What is to be said of a conversation that was played, who is to blame, and how it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

import schemas
from conformance.faults.memory import _served, _with
from conformance.faults.registry import get
from conformance.feeds.properties import players
from conformance.judge.verdict import Verdict
from conformance.peers.budget import Budget
from conformance.peers.virtual import run
from conformance.programs import bundle, dissect, script
from conformance.programs.mistakes import MISTAKES, damage_speech
from conformance.programs.outcome import Departure
from conformance.programs.player import Played
from conformance.programs.program import Program, Step, Talk
from conformance.programs.writing import cut, pieces, recased, split
from protocol.speech.framing import departures as misshapen
from protocol.wire import Kind

CONFIG = Step(0, "config")
TURN = (Step(0, "context"), Step(0, "header"), Step(0, "end"), Step(0, "await", 0, "turn.end", 1))
HEAD = b"Path:telemetry\r\nX-RequestId:0123456789abcdef0123456789abcdef\r\nX-Timestamp:2026-11-26T00:00:00.000Z\r\n"


def held(program: Program, fault: str | None = None) -> tuple[Played, Sequence[Departure]]:
    """Hold a conversation with the reference server, in memory; return it with what is to be said of it."""
    tap, settings, _ = _with(None if fault is None else get(fault))

    async def hold() -> tuple[Played, Sequence[Departure]]:
        async with _served(program.dialect, settings, tap, None) as target:
            playing = players(target, program.dialect, Budget(), 0, 8)
            found = await playing.departures(program)
            return playing.failing.get(program) or await playing.play(program), found

    return run(hold())


def said(program: Program, fault: str | None = None) -> list[str]:
    return [one.requirement.removeprefix("speech.") for one in held(program, fault)[1]]


def speech(*steps: Step, talks: int = 1, form: str = "") -> Program:
    return Program("speech-v2", (Talk(("interactive",), form),) * talks, steps)


class TestASoundServer:
    def test_departs_from_nothing(self) -> None:
        assert said(speech(CONFIG, *TURN)) == []

    @pytest.mark.parametrize(("name", "mistake"), [(n, m) for n, m in MISTAKES["speech"].items() if m.damages])
    def test_answers_mistakes_as_it_has_to(self, name: str, mistake: object) -> None:
        word = next(iter(MISTAKES["speech"][name].on))
        before = (CONFIG,) if word == "config" else (CONFIG, *TURN[:1]) if word == "header" else (CONFIG, *TURN[:2])
        assert said(speech(*before, Step(0, word, what="open" if word == "event" else "", at=(7,), wrong=name))) == []


class TestWhatDidNotCome:
    def test_is_laid_to_the_form_that_is_not_taken(self) -> None:
        ordered = Step(0, "context", form="order", at=(11,))
        program = speech(CONFIG, ordered, *TURN[1:])
        played, found = held(program, "speech.read.header-order/time-before-path")
        assert [one.requirement for one in found] == ["speech.read.header-order"]
        assert found[0].step == 4
        assert found[0].verdict is Verdict.VIOLATION
        assert played.stopped == (4,)

    def test_is_laid_to_the_step_that_could_be_left_out(self) -> None:
        report = Step(0, "telemetry")
        assert "telemetry.tolerated" in said(speech(CONFIG, report, *TURN), "speech.telemetry.tolerated/too-early")

    def test_is_what_is_missing_where_nothing_else_is_to_blame(self) -> None:
        pause = Step(0, "pause", count=20)
        program = speech(CONFIG, *TURN[:2], pause, *TURN[2:])
        assert said(program, "speech.turn.end-last/late-end") == ["turn.end-last"]

    def test_is_laid_to_one_of_several_forms_that_are_not_taken(self) -> None:
        sounds = (
            Step(0, "audio", 0, "silence", 100, "any-size", (642,)),
            Step(0, "audio", 0, "silence", 100, "odd", (1, 641)),
        )
        program = Program("translator", (Talk(),), (Step(0, "header"), *sounds, Step(0, "ping")))
        found = held(program, "translator.audio.chunk-any-size/odd-samples")[1]
        assert len(found) == 1
        assert found[0].requirement in ("translator.audio.chunk-any-size", "translator.audio.odd-bytes")

    def test_on_one_connection_is_not_laid_to_another(self) -> None:
        beside = (Step(1, "config"), Step(1, "pause", count=3))
        ordered = Step(0, "context", form="order", at=(11,))
        program = speech(CONFIG, *beside, ordered, *TURN[1:], talks=2)
        assert said(program, "speech.read.header-order/time-before-path") == ["read.header-order"]

    def test_before_a_mistake_is_for_other_conversations(self) -> None:
        ordered = Step(0, "context", form="order", at=(11,))
        program = speech(CONFIG, ordered, Step(0, "event", what="open", at=(1,), wrong="no-path"))
        assert said(program, "speech.read.header-order/time-before-path") == []

    def test_may_be_a_mistake_that_passes(self) -> None:
        wrong = Step(0, "event", what="open", at=(4,), wrong="no-object")
        found = held(speech(CONFIG, *TURN[:2], wrong, *TURN[2:]), "speech.malformed.context-json/null")[1]
        assert [(one.requirement, one.observed) for one in found] == [
            ("speech.malformed.context-json", "a conversation that goes on")
        ]

    def test_is_told_of_sessions_that_hear_each_other(self) -> None:
        def spoken(talk: int, which: int) -> tuple[Step, ...]:
            sound = (Step(talk, "audio", 0, "speech", which), Step(talk, "audio", 0, "silence", 2600))
            return (*sound, Step(talk, "await", 0, "final", 1))

        program = Program(
            "translator", (Talk(), Talk()), (Step(0, "header"), Step(1, "header"), *spoken(0, 0), *spoken(1, 1))
        )
        assert held(program)[1] == ()
        found = held(program, "translator.session.isolation/one-memory")[1]
        assert [(one.requirement, one.talk) for one in found] == [("translator.session.isolation", 1)]


class TestWriting:
    def test_cuts_anywhere(self) -> None:
        assert cut(b"abcd", (1, 3)) == [b"a", b"bc", b"d"]
        assert cut(b"abcd", (0, 4)) == [b"", b"abcd", b""]
        assert cut(b"abcd", (7,)) == [b"ab", b"cd"]

    def test_splits_into_what_is_not_empty(self) -> None:
        assert all(split(bytes(44), places) for places in ((0,), (43, 0), (1, 1)))
        assert min(map(len, split(bytes(44), (0, 0, 42, 43)))) > 0

    def test_cuts_sounds_first_as_is_asked(self) -> None:
        assert [len(part) for part in pieces(bytes(10), (2, 3), 4)] == [2, 3, 4, 1]
        assert pieces(b"", (2,), 4) == []

    def test_changes_the_letters_of_a_name(self) -> None:
        assert recased("Path", 0b0010) == "pAth"

    @pytest.mark.parametrize("name", [name for name, found in MISTAKES["speech"].items() if found.damages])
    def test_of_a_mistake_is_wrong_by_the_formats_too(self, name: str) -> None:
        kind = Kind.BINARY if name in ("short", "size-beyond", "binary-utf8") else Kind.TEXT
        data = damage_speech(name, 3, kind, HEAD, b"{}")
        by_form = {"no-path", "no-id", "no-time", "short-id", "no-object"}
        assert (misshapen(kind, data) != ()) or name in by_form
        assert data != HEAD + b"\r\n{}"


class TestABundle:
    example = Path(schemas.__file__).parent / "examples/bundle/valid/null-for-an-object.json"

    def test_is_read_as_it_was_written(self, tmp_path: Path) -> None:
        kept = bundle.read(self.example)
        (tmp_path / "again.json").write_text(bundle.dumped(kept), "utf-8")
        assert bundle.read(tmp_path / "again.json") == kept

    def test_holds_no_credential_and_keeps_its_sizes(self) -> None:
        played, found = held(speech(CONFIG, *TURN[:1], Step(0, "ping")), "speech.read.ping/before-audio")
        text = bundle.dumped(bundle.make(found[0], played, 0, ("test-key",)))
        assert "test-key" not in text
        assert "xxxxxxxx" in text

    def test_is_judged_again_without_a_server(self) -> None:
        ordered = Step(0, "context", form="order", at=(11,))
        program = speech(CONFIG, ordered, *TURN[1:])
        played, found = held(program, "speech.read.header-order/time-before-path")
        made = bundle.make(found[0], played, 0, ())
        assert (made.symptom, made.judged_again()) == ("speech.turn.end-last", Verdict.VIOLATION)
        sound = bundle.Bundle(found[0], made.symptom, held(program)[0], 0, {})
        assert sound.judged_again() is Verdict.OK

    def test_of_a_dialect_that_does_not_know_the_requirement_is_none(self, tmp_path: Path) -> None:
        document = json.loads(self.example.read_text("utf-8"))
        document["departure"]["requirement"] = "speech.nothing.at-all"
        (tmp_path / "b.json").write_text(json.dumps(document), "utf-8")
        with pytest.raises(bundle.BundleError, match="no requirement of speech-v2"):
            bundle.read(tmp_path / "b.json")

    def test_has_a_script_that_is_python_whatever_a_peer_has_said(self) -> None:
        kept = bundle.read(self.example)
        loud = Departure(kept.departure.requirement, Verdict.OK, 'a """ b', "\\ \n é {x}", 0)
        text = script.written(bundle.Bundle(loud, "", kept.played, 0, {}), "It's so.")
        compile(text, "script.py", "exec")


class TestWhatIsShown:
    def test_is_every_field_of_what_is_special(self) -> None:
        program = speech(CONFIG, TURN[0], Step(0, "header", form="samples", at=(4,)), *TURN[2:])
        lines = "\n".join(dissect.lines(held(program)[0], 0))
        for field in ("form 'samples' [4]", "size of the header block", "Path:audio", "samples per second: 16000"):
            assert field in lines
        assert "4 bytes of audio" in lines

    @pytest.mark.parametrize(("form", "at"), [("46", ()), ("chunks", (3, 8)), ("sizes", (64_000,))])
    def test_is_every_chunk_of_a_header(self, form: str, at: tuple[int, ...]) -> None:
        header = Step(0, "header", form=form, at=at)
        lines = dissect.lines(held(Program("translator", (Talk(),), (header, Step(0, "ping"))))[0], 0)
        chunks = [line.split()[-3].strip(",") for line in lines if ", size: " in line]
        assert chunks == ["fmt", *["LIST"] * (len(at) if form == "chunks" else 0), "data"]
        assert f"data, size: {at[0] if form == 'sizes' else 0}" in "\n".join(lines)
        assert lines[-1].endswith("no audio")

    def test_is_the_last_step_where_nothing_is(self) -> None:
        assert dissect.lines(held(speech(CONFIG, *TURN))[0], 0)[0].startswith("sent: step 4, await")

    def test_is_each_frame_and_each_header_of_a_text(self) -> None:
        lines = "\n".join(dissect.lines(held(speech(Step(0, "config", form="frames", at=(3,)), *TURN))[0], 0))
        assert "a frame of 3 bytes" in lines
        assert "X-RequestId:" in lines
