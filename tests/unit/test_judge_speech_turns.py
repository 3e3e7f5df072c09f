"""The order of a turn: each finding from both sides."""

from __future__ import annotations

import pytest

from conformance.judge.findings import Bench
from conformance.judge.speech.reading import View
from conformance.judge.speech.turns import RULES
from protocol.speech.framing import binary, write
from tests.unit.speech_transcript import FILE, ONE, THREE, TWO, V1, V2, SpeechTalk

BENCH = Bench(View, RULES)
MARK = "speech.client.chunk-size"


@pytest.fixture(params=[V1, V2])
def talk(request: pytest.FixtureRequest) -> SpeechTalk:
    return SpeechTalk(request.param).connect()


@pytest.fixture
def v2() -> SpeechTalk:
    return SpeechTalk(V2).connect()


def whole(talk: SpeechTalk) -> SpeechTalk:
    talk.begin().detected("start").interim().phrase().voice().interim(offset=30_000_000).phrase(offset=30_000_000)
    return talk.voice(stream="2").detected("end", 45_000_000).stop().done()


class TestWalk:
    def test_a_whole_turn_breaks_nothing(self, talk: SpeechTalk) -> None:
        assert whole(talk).wrong(BENCH) == []
        assert talk.said(BENCH, "turn.start-first") == ["kept"]
        assert talk.said(BENCH, "turn.start-once") == ["kept"]
        assert talk.said(BENCH, "result.final-always") == ["kept", "kept"]
        assert talk.said(BENCH, "synthesis.before-next-phrase") == ["kept", "kept"]

    def test_a_turn_without_turn_start_breaks_that_alone(self, talk: SpeechTalk) -> None:
        talk.config().context().riff().speech().interim().phrase().done()
        assert talk.wrong(BENCH) == ["turn.start-first"]

    def test_two_turn_starts_break_that(self, talk: SpeechTalk) -> None:
        talk.begin().says("turn.start", {"context": {"serviceTag": "x"}}).done()
        assert talk.wrong(BENCH) == ["turn.start-once"]

    def test_an_interim_without_its_final_is_broken(self, talk: SpeechTalk) -> None:
        assert talk.begin().interim().done().wrong(BENCH) == ["result.final-always"]

    def test_a_voice_without_a_start_is_broken_in_v2(self, v2: SpeechTalk) -> None:
        v2.begin().phrase().plays(FILE[:10]).plays(FILE[10:])
        v2.says("audio.end", {"Status": "Success"}, headers=(("X-StreamId", "1"),)).done()
        assert v2.wrong(BENCH) == ["synthesis.start"]

    def test_a_voice_start_is_broken_in_v1(self) -> None:
        talk = SpeechTalk(V1).connect().begin().phrase().says("audio.start", {"TranslationLanguage": "de"}).plays()
        assert talk.says("translation.synthesis.end", {"SynthesisStatus": "Success"}).done().wrong(BENCH) == [
            "synthesis.v1-paths"
        ]

    def test_a_voice_inside_an_utterance_is_broken(self, talk: SpeechTalk) -> None:
        assert set(talk.begin().phrase().interim().voice().phrase().done().wrong(BENCH)) == {"synthesis.after-phrase"}

    def test_a_voice_without_its_end_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().voice()
        talk.entries.pop()
        assert talk.done().wrong(BENCH) == ["synthesis.end"]

    def test_a_final_inside_a_voice_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().voice()
        end = talk.entries.pop()
        talk.phrase(offset=40_000_000)
        talk.entries.append(end)
        assert talk.done().wrong(BENCH) == ["synthesis.before-next-phrase"]

    def test_other_messages_inside_a_voice_are_not_this_rules_matter(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().voice()
        end = talk.entries.pop()
        talk.detected("end").interim()
        talk.entries.append(end)
        assert talk.phrase().done().wrong(BENCH) == []

    def test_streams_that_cut_into_each_other_break_that_alone(self, v2: SpeechTalk) -> None:
        v2.begin().phrase()
        for path, stream in (("audio.start", "1"), ("audio.start", "2")):
            v2.says(path, {"TranslationLanguage": "de"}, headers=(("X-StreamId", stream),))
        v2.plays(stream="1").plays(stream="2")
        for stream in ("1", "2"):
            v2.says("audio.end", {"Status": "Success"}, headers=(("X-StreamId", stream),)).plays(stream="2")
        v2.says("audio.end", {"Status": "Success"}).done()
        assert v2.wrong(BENCH) == ["synthesis.one-stream-at-a-time"]

    def test_a_turn_that_was_abandoned_or_provoked_may_end_anywhere(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().interim().context(identity=TWO).done().says("turn.start", {}, TWO)
        talk.plays(identity=TWO).chunk(b"", TWO, deliberate=MARK).done(TWO)
        assert not {"result.final-always", "synthesis.end"} & set(talk.wrong(BENCH))

    def test_what_the_table_does_not_speak_of_is_no_step(self, talk: SpeechTalk) -> None:
        talk.begin().says("my.own", {}).says("translation.response", b"{").says("audio", {}).done()
        talk.replies(write(binary("turn.end", ONE, b"")).data)
        assert set(talk.wrong(BENCH)) == {"turn.end-once"}


class TestEnds:
    def test_one_turn_end_and_nothing_behind_it_is_kept(self, talk: SpeechTalk) -> None:
        names = ("end-last", "end-once", "nothing-after-end")
        assert list(whole(talk).both(BENCH, *(f"turn.{name}" for name in names))) == [["kept"]] * 3

    def test_a_second_one_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().done().done()
        assert talk.said(BENCH, "turn.end-once") == ["another one; expected one turn.end"]
        assert talk.said(BENCH, "turn.nothing-after-end") == ["kept"]

    def test_anything_behind_it_is_broken_but_a_voice_elsewhere(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().done().phrase().plays()
        assert talk.wrong(BENCH) == ["turn.nothing-after-end"]
        assert talk.said(BENCH, "turn.end-once") == ["kept"]

    def test_a_message_without_a_path_behind_it_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().done()
        talk.replies(f"X-RequestId:{ONE}\r\n\r\n{{}}")
        assert talk.said(BENCH, "turn.nothing-after-end") == [
            "a message without a path; expected nothing more of this turn"
        ]

    def test_one_that_does_not_come_behind_the_stream_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().phrase().stop()
        talk.expired("turn.end", 5.0)
        assert talk.said(BENCH, "turn.end-last") == ["nothing for 5.0 s; expected turn.end"]
        assert talk.wrong(BENCH) == ["turn.end-last", "audio.end"]

    def test_one_that_does_not_come_behind_the_final_of_a_one_shot_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").phrase()
        talk.expired("turn.end of the turn", 5.0)
        assert talk.wrong(BENCH) == ["turn.end-last", "turn.one-shot-ends"]

    @pytest.mark.parametrize("how", ["too early", "nothing due", "another wait", "another turn", "provoked"])
    def test_one_that_is_not_due_is_not(self, talk: SpeechTalk, how: str) -> None:
        talk.begin()
        if how == "provoked":
            talk.chunk(bytes(9000), deliberate=MARK)
        if how != "nothing due":
            talk.stop()
        if how == "another turn":
            talk.expired("turn.end", 5.0)
            talk.context(identity=TWO)
        else:
            talk.expired("a final" if how == "another wait" else "turn.end")
        if how == "too early":
            talk.done()
        assert talk.wrong(BENCH) == []

    def test_a_wait_in_a_later_turn_is_not_the_earlier_ones_fault(self, talk: SpeechTalk) -> None:
        talk.begin().stop().done().begin(identity=TWO)
        talk.expired("turn.end")
        assert talk.wrong(BENCH) == []

    def test_a_provoked_turn_with_something_behind_it_keeps_nothing(self, talk: SpeechTalk) -> None:
        talk.begin().chunk(b"", deliberate=MARK).done().done()
        assert talk.said(BENCH, "turn.end-last") == []


class TestStreams:
    def test_an_end_of_the_stream_that_is_answered_is_kept(self, talk: SpeechTalk) -> None:
        assert whole(talk).said(BENCH, "audio.end") == ["kept"]
        assert talk.said(BENCH, "turn.several") == []
        assert talk.said(BENCH, "turn.tail") == []

    def test_a_later_turn_and_a_rest_too(self, talk: SpeechTalk) -> None:
        whole(talk).begin(identity=TWO, ms=20).stop(TWO).done(TWO).begin(identity=THREE).done(THREE)
        assert talk.said(BENCH, "turn.several") == ["kept", "kept"]
        assert talk.said(BENCH, "turn.tail") == ["kept"]
        assert talk.said(BENCH, "audio.end") == ["kept", "kept"]

    def test_a_provoked_turn_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin().chunk(b"", deliberate=MARK).done().said(BENCH, "audio.end") == []


class TestAbandoned:
    NAME = "turn.new-id-abandons"

    def test_what_is_silent_once_the_next_has_started_is_kept(self, talk: SpeechTalk) -> None:
        talk.begin().context(identity=TWO).phrase().done().says("turn.start", {}, TWO)
        assert talk.said(BENCH, self.NAME) == ["kept"]

    def test_what_goes_on_behind_that_is_broken(self, talk: SpeechTalk) -> None:
        talk.begin().context(identity=TWO).says("turn.start", {}, TWO).phrase()
        assert talk.said(BENCH, self.NAME)[0].endswith("expected nothing more of the turn that was abandoned")

    def test_what_ended_before_is_not_abandoned(self, talk: SpeechTalk) -> None:
        assert talk.begin().done().begin(identity=TWO).said(BENCH, self.NAME) == []

    def test_what_has_not_started_shows_nothing(self, talk: SpeechTalk) -> None:
        assert talk.begin().context(identity=TWO).phrase().said(BENCH, self.NAME) == []


class TestBodies:
    def test_of_both_ends_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin().says("turn.end", b"").begin(identity=TWO).done(TWO)
        names = ("turn.start-form", "turn.end-form", "turn.service-tag-unique")
        assert list(talk.both(BENCH, *names)) == [["kept", "kept"]] * 3

    @pytest.mark.parametrize("body", [{}, {"context": {"serviceTag": ""}}, {"context": {"serviceTag": 7}}])
    def test_of_a_start_without_a_tag_is_broken(self, talk: SpeechTalk, body: dict[str, object]) -> None:
        talk.context().says("turn.start", body)
        assert talk.wrong(BENCH) == ["turn.start-form"]

    def test_a_tag_that_comes_twice_is_broken(self, talk: SpeechTalk) -> None:
        for identity in (ONE, TWO):
            talk.context(identity=identity).says("turn.start", {"context": {"serviceTag": "t"}}, identity)
        assert talk.said(BENCH, "turn.service-tag-unique") == ["kept", "t; expected a serviceTag of its own"]

    def test_that_are_no_objects_are_broken_at_the_end_alone(self, talk: SpeechTalk) -> None:
        talk.context().says("turn.start", b"?").says("turn.end", b"[]")
        assert talk.wrong(BENCH) == ["turn.end-form"]


class TestIdentities:
    def test_that_are_echoed_are_kept(self, talk: SpeechTalk) -> None:
        talk.begin().done()
        assert talk.said(BENCH, "turn.id-echo") == ["kept", "kept"]
        assert talk.said(BENCH, "frame.request-id-known") == ["kept", "kept"]

    def test_in_another_case_are_broken_each_time(self, talk: SpeechTalk) -> None:
        talk.begin().phrase(identity=ONE.upper()).done(ONE.upper())
        assert talk.said(BENCH, "turn.id-echo") == ["kept", *[f"{ONE.upper()}; expected {ONE}"] * 2]

    def test_of_nobody_break_the_turn_that_waits_for_its_start(self, talk: SpeechTalk) -> None:
        talk.config().context().riff().says("turn.start", {}, THREE)
        assert talk.said(BENCH, "turn.id-echo") == [f"{THREE}; expected {ONE}"]
        assert talk.said(BENCH, "frame.request-id-known") == []

    def test_of_nobody_beside_a_started_turn_are_told(self, talk: SpeechTalk) -> None:
        talk.begin().says("turn.start", {}, THREE).phrase(identity=THREE)
        assert (
            talk.said(BENCH, "frame.request-id-known")[1:]
            == [f"{THREE}; expected the id of a message of the client"] * 2
        )

    def test_of_nobody_before_any_turn_are_told(self, talk: SpeechTalk) -> None:
        assert talk.phrase(identity=THREE).wrong(BENCH) == ["frame.request-id-known"]

    def test_of_a_turn_of_the_server_break_no_later_one(self, talk: SpeechTalk) -> None:
        talk.says("turn.start", {}, THREE).context().phrase(identity=THREE)
        assert talk.said(BENCH, "turn.id-echo") == []

    def test_of_another_message_of_the_client_are_no_turns(self, talk: SpeechTalk) -> None:
        talk.begin().tells("event", {}, TWO).phrase(identity=TWO)
        assert talk.said(BENCH, "turn.id-echo") == ["kept"]
        assert talk.said(BENCH, "frame.request-id-known") == ["kept"]

    def test_of_a_client_that_provokes_are_told_alone(self, talk: SpeechTalk) -> None:
        talk.tells("speech.context", {}, deliberate=MARK).phrase(identity=THREE)
        assert talk.wrong(BENCH) == ["frame.request-id-known"]
