"""Turns: where they begin and end, and what belongs to them."""

from __future__ import annotations

import pytest

from conformance.judge.speech.reading import View
from conformance.judge.speech.turn import Turn
from protocol.audio import PcmFormat
from protocol.riff import build_header
from protocol.speech.handshake import Mode
from tests.unit.speech_transcript import ONE, SECOND, THREE, TWO, V1, SpeechTalk

MARK = "speech.client.chunk-size"


def turns(talk: SpeechTalk) -> tuple[Turn, ...]:
    return View(talk.transcript()).turns


@pytest.fixture
def talk() -> SpeechTalk:
    return SpeechTalk().connect()


class TestBeginning:
    def test_is_a_context_with_a_new_id(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.config().context())
        assert (turn.number, turn.id, turn.key, turn.begun) == (0, ONE, ONE, 3)
        assert turn.context is not None
        assert turn.client == (turn.context,)

    def test_is_a_header_with_a_new_id(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.config().riff().speech())
        assert (turn.context, turn.begun, len(turn.audio)) == (None, 3, 2)

    def test_is_nothing_else(self, talk: SpeechTalk) -> None:
        talk.tells("speech.config", {}, ONE).speech().stop().tells("event", {}, TWO).tells("telemetry", {}, THREE)
        assert turns(talk.context(identity="")) == ()

    def test_of_the_same_id_again_is_the_same_turn_until_it_has_ended(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().context().riff())
        assert len(turn.client) == 5
        first, second = turns(talk.done().context().speech())
        assert (first.key, second.key, second.number, len(second.client)) == (ONE, ONE, 1, 2)
        assert (first.next, second.next) == (second.begun, None)

    def test_with_late_audio_is_none(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().done().riff().speech())
        assert (len(turn.client), len(turn.audio)) == (5, 2)


class TestBelonging:
    def test_goes_by_the_id_in_whatever_form(self, talk: SpeechTalk) -> None:
        talk.begin().interim(identity=ONE.upper()).phrase(identity="-".join(ONE)).phrase(identity=TWO)
        (turn,) = turns(talk)
        assert [said.path for said in turn.server] == ["turn.start", "translation.response", "translation.response"]

    def test_goes_by_the_turn_that_has_the_id_at_the_time(self, talk: SpeechTalk) -> None:
        talk.begin().done().context().says("turn.start").done()
        first, second = turns(talk)
        assert [[said.path for said in turn.server] for turn in (first, second)] == [["turn.start", "turn.end"]] * 2

    def test_answers_end_with_turn_end(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().phrase().done().phrase())
        assert [said.path for said in turn.answers] == ["turn.start", "translation.response", "turn.end"]
        assert (len(turn.server), len(turn.results), len(turn.finals)) == (4, 1, 1)
        assert turn.start is not None
        assert turn.end is not None

    def test_a_plain_result_beside_a_translation_is_not_the_answer(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().phrase(shape="plain").phrase())
        assert [turn.answers_with(result) for result in turn.results] == [False, True]
        (plain,) = turns(SpeechTalk().connect().begin(translation={}).phrase(shape="plain"))
        assert plain.answers_with(plain.results[0])

    def test_an_open_turn_has_all_of_them(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().interim().phrase())
        assert (len(turn.answers), len(turn.results), len(turn.finals), turn.end) == (3, 2, 1, None)


class TestWanted:
    def test_is_settled_from_context_query_and_config(self) -> None:
        talk = SpeechTalk(V1).connect("from=de-DE&to=fr,it&scenario=interactive&voice=fr-FR-DeniseNeural")
        (turn,) = turns(talk.config().riff())
        assert (turn.wanted.source, turn.wanted.targets, turn.wanted.mode) == ("de-DE", ("fr", "it"), Mode.INTERACTIVE)
        assert turn.wanted.voices is not None

    def test_the_latest_config_counts_for_the_mode(self, talk: SpeechTalk) -> None:
        talk.tells("speech.config", {"recognition": "dictation"}).context(None)
        talk.tells("speech.config", b"broken").context(None, identity=TWO)
        talk.tells("speech.config", {"recognition": "interactive"}).context(None, identity=THREE)
        assert [turn.wanted.mode for turn in turns(talk)] == [Mode.DICTATION, Mode.DICTATION, Mode.INTERACTIVE]

    def test_a_broken_context_wants_nothing(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.tells("speech.context", b"{"))
        assert (turn.wanted.mode, turn.wanted.targets, turn.wanted.translated) == (None, (), False)

    def test_a_turn_without_a_request_is_read_too(self) -> None:
        assert turns(SpeechTalk(V1).riff())[0].wanted.translated


EVENT = {"id": "translation", "name": "updateLanguage", "to": ["fr"]}


class TestUpdates:
    def test_are_those_of_the_turn(self, talk: SpeechTalk) -> None:
        talk.tells("event", EVENT, TWO).begin().tells("event", EVENT, THREE).tells("event", {"id": "x"})
        talk.done().context(identity=TWO).tells("event", EVENT)
        first, second = turns(talk)
        assert [update.targets for _, update in first.updates] == [("fr",)]
        assert [at for at, _ in second.updates] == [12]

    def test_go_on_where_a_context_names_no_languages(self, talk: SpeechTalk) -> None:
        talk.config().tells("event", EVENT).tells("speech.context", {"phraseDetection": {}})
        assert [at for at, _ in turns(talk)[0].updates] == [3]


class TestAudio:
    def test_is_measured_up_to_an_entry(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.config().context().riff().speech(1000).interim().speech(500).stop())
        assert [turn.heard(at) for at in (4, 5, 6, 8, 99)] == [0, 0, SECOND, SECOND + SECOND // 2, SECOND + SECOND // 2]

    def test_may_have_its_header_in_pieces(self, talk: SpeechTalk) -> None:
        header = build_header(PcmFormat(8000))
        talk.context().chunk(header[:9]).chunk(header[9:]).chunk(bytes(16_000))
        assert turns(talk)[0].heard(99) == SECOND

    def test_of_an_unknown_kind_has_no_measure(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.context().speech())
        assert (turn.wave, turn.heard(99)) == (None, None)

    def test_ends_with_an_empty_message_that_stays_the_last_word(self, talk: SpeechTalk) -> None:
        talk.context().riff()
        assert turns(talk)[0].stopped is None
        assert turns(talk.stop())[0].stopped is not None
        assert turns(talk.speech())[0].stopped is None
        stopped = turns(talk.stop().stop())[0].stopped
        assert stopped is not None
        assert stopped.at == 6

    def test_behind_turn_end_is_not_counted(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().stop().done().speech())
        assert turn.stopped is not None


class TestEnding:
    def test_is_owed_behind_the_end_of_the_stream(self, talk: SpeechTalk) -> None:
        assert not turns(talk.begin())[0].owed
        assert turns(talk.stop())[0].owed
        assert not turns(talk.done())[0].owed

    def test_is_owed_behind_the_final_of_a_one_shot(self, talk: SpeechTalk) -> None:
        talk.begin("Interactive").phrase(None, status="EndOfDictation")
        assert not turns(talk)[0].owed
        assert turns(talk.phrase())[0].owed

    def test_is_not_owed_before_turn_start(self, talk: SpeechTalk) -> None:
        assert not turns(talk.context().riff().stop())[0].owed

    def test_is_not_owed_for_audio_of_an_unknown_kind(self, talk: SpeechTalk) -> None:
        assert not turns(talk.context().speech().says("turn.start").stop())[0].owed

    def test_is_not_owed_to_who_begins_another(self, talk: SpeechTalk) -> None:
        talk.begin().stop().context(identity=TWO)
        turn = turns(talk)[0]
        assert (turn.abandoned, turn.owed) == (True, False)
        assert not turns(talk)[1].abandoned

    def test_a_turn_that_ended_before_the_next_is_not_abandoned(self, talk: SpeechTalk) -> None:
        assert [turn.abandoned for turn in turns(talk.begin().done().context(identity=TWO))] == [False, False]
        late = SpeechTalk().connect().begin().context(identity=TWO).done()
        assert [turn.abandoned for turn in turns(late)] == [True, False]

    def test_is_not_owed_to_who_has_broken_something(self, talk: SpeechTalk) -> None:
        (turn,) = turns(talk.begin().chunk(bytes(9000), deliberate=MARK).stop())
        assert (turn.provoked, turn.owed) == (True, False)

    def test_what_is_broken_later_does_not_count(self, talk: SpeechTalk) -> None:
        talk.begin().done().chunk(bytes(9000), deliberate=MARK).context(identity=TWO)
        assert [turn.provoked for turn in turns(talk)] == [False, True]
