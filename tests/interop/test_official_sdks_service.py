"""What is known of the live service, row by row, and that the official Speech SDKs find it in the reference server.

The rows are the facts P-01 to P-28 of the register, and the experiments. A class says in its docstring which of them it
is about; most of the rows have theirs in the other files of this kind. What takes long runs in the background while the
others are looked at.
"""

from __future__ import annotations

import ast
import json
import re
import socket
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import schemas
from protocol import requirements
from protocol.languages import PUBLISHED
from protocol.speech.server.policy import Policy
from reference_server.app import Server
from reference_server.engines import script
from reference_server.engines.scripted import ScriptedEngine
from reference_server.policy import Limits, Settings
from tests.interop.asked import Book, Told, by, contexts, query, record, sent, token
from tests.interop.official import V1, V2, Client, Outcome, run
from tests.interop.spoken import (
    CLEAR_WAV,
    COFFEE,
    PAIR,
    PAIR_WAV,
    STATION,
    TICKS_PER_MS,
    TRAIN,
    VOICE,
    ends_cleanly,
    says,
    speaks,
)

if TYPE_CHECKING:
    from tests.conftest import Speechwire

JS: Final = Client.JS_NEWEST
NATIVE: Final = Client.NATIVE
FILE: Final = {"kind": "file", "wav": PAIR_WAV}
LIVE: Final = {"kind": "push", "wav": PAIR_WAV}
BURST: Final = {**LIVE, "pace": 0}
SILENCE_S: Final = 30.72
"""Two silences of 15 s and a rest, but not three of 10 s; the tests of the JS SDK have it."""
LIMIT_S: Final = 2.0
"""Age at which connections of the server `short` end."""
TIMES: Final = 3
"""How often a recording is said in what is cut or comes in many turns."""

RECORDINGS: Final[Mapping[str, Sequence[str | float]]] = {
    "speech-silence.wav": (CLEAR_WAV, SILENCE_S),
    "silence-speech.wav": (SILENCE_S, CLEAR_WAV),
    "long.wav": (PAIR_WAV, 1.0) * TIMES,
}
"""Made of recordings and of seconds of silence."""
SERVERS: Final[Mapping[str, tuple[Policy, Mapping[str, Any] | None]]] = {
    "usual": (Policy(), None),
    "hasty": (Policy(silence_ms=3000), None),
    "short": (Policy(connection_limit_s=LIMIT_S), None),
    "idle": (Policy(idle_s=1.0), None),
    "slow": (Policy(), {"utterances": [{"recognition": COFFEE.text, "delay_ms": {"final": 1500}}]}),
}


BOOK: Final = Book()
ask: Final = BOOK.ask


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Give what became of all that was asked for; each is waited for where it is looked at."""
    folder = tmp_path_factory.mktemp("recordings")
    for name, parts in RECORDINGS.items():
        record(folder / name, *parts)
    limits = Limits(journal_sessions=1000)  # what every client did has to be remembered to the end
    servers = {
        name: Server(
            Settings(speech=policy, limits=limits), ScriptedEngine(script.parse(said, PUBLISHED) if said else None)
        )
        for name, (policy, said) in SERVERS.items()
    }

    def fill(options: Mapping[str, Any], url: str) -> Mapping[str, Any]:
        source = options["input"]
        if source["wav"] in RECORDINGS:
            source = {**source, "wav": str(folder / source["wav"])}
        known = {"token": options["token"].format(token(url))} if "token" in options else {}
        return {**options, "input": source, **known}

    with BOOK.told(servers, fill) as told:
        yield told


class TestRows:
    def test_each_row_of_the_live_service_has_a_test_that_runs_an_sdk(self) -> None:
        rows = {fact for fact in requirements.facts("speech-v2") if fact.startswith("P-")}
        assert len(rows) == 29
        assert rows - named(r"P-\d+b?") == set()

    def test_each_rule_for_servers_of_the_experiments_has_one(self) -> None:
        assert {"1b", "4", "5", "7"} - named(r"(?<=xperiment )\d[a-z]?") == set()


def named(pattern: str) -> set[str]:
    """Return what the docstrings of the classes of all tests of this kind name."""
    found: set[str] = set()
    for file in Path(__file__).parent.glob("test_official_sdks*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found |= set(re.findall(pattern, ast.get_docstring(node) or ""))
    return found


class TestLongSilence:
    """P-02, P-03, P-04, P-05: in continuous recognition, behind speech and in front of it."""

    BEHIND: Final = ask(JS, NATIVE, mode="continuous", input={**BURST, "wav": "speech-silence.wav"})
    BEFORE: Final = ask(JS, NATIVE, mode="continuous", input={**BURST, "wav": "silence-speech.wav"})
    BEFORE_V1: Final = ask(JS, path=V1, mode="continuous", input={**BURST, "wav": "silence-speech.wav"})

    @by(JS, NATIVE)
    def test_it_is_an_empty_success_every_15_s(self, told: Told, client: Client) -> None:
        for asked, texts in ((self.BEHIND, [TRAIN.text, "", ""]), (self.BEFORE, ["", "", TRAIN.text])):
            outcome = told.of(asked, client)
            ends_cleanly(outcome)
            assert [event["text"] for event in outcome.told("recognized")] == texts
            assert {event["reason"] for event in outcome.told("recognized")} == {"TranslatedSpeech"}
            assert not any(event["translations"] for event in outcome.told("recognized") if not event["text"])

    @by(JS)
    def test_in_v1_it_is_no_match(self, told: Told, client: Client) -> None:
        outcome = told.of(self.BEFORE_V1, client)
        ends_cleanly(outcome)
        reasons = ["NoMatch", "NoMatch", "TranslatedSpeech"]
        assert [event["reason"] for event in outcome.told("recognized")] == reasons
        assert "text" not in outcome.told("recognized")[0]

    @by(JS, NATIVE)
    def test_each_goes_with_one_end_of_speech_and_a_rest_with_nothing(self, told: Told, client: Client) -> None:
        silence = ["recognized", "speechEndDetected"]
        order = ("recognized", "speechEndDetected", "canceled")
        assert told.of(self.BEHIND, client).order(*order) == ["recognized", *silence * 2, "canceled"]
        assert told.of(self.BEFORE, client).order(*order) == [*silence * 2, "recognized", "canceled"]

    @by(JS, NATIVE)
    def test_each_ends_a_turn_and_the_connection_goes_on(self, told: Told, client: Client) -> None:
        for asked in (self.BEHIND, self.BEFORE):
            (session,) = told.sessions(asked, client)
            assert sent(session).count("turn.end") == 3
            assert contexts([session]) == 3

    @by(JS, NATIVE)
    def test_it_acknowledges_its_audio(self, told: Told, client: Client) -> None:
        for asked in (self.BEHIND, self.BEFORE):
            silences = [event for event in told.of(asked, client).told("recognized") if not event["text"]]
            assert silences[1]["offset"] == silences[0]["offset"] + silences[0]["duration"]
            assert all(event["duration"] >= 15_000 * TICKS_PER_MS for event in silences)


class TestForcedCut:
    """P-23, P-24: at the limit of its age a connection ends in mid-turn; live input goes on over the next one."""

    CUT: Final = ask(JS, NATIVE, server="short", mode="continuous", input={**LIVE, "wav": "long.wav", "pace": 2})

    @by(JS, NATIVE)
    def test_nothing_is_lost_or_doubled_or_out_of_order(self, told: Told, client: Client) -> None:
        outcome = told.of(self.CUT, client)
        assert outcome.code == 0
        assert outcome.texts == [said.text for said in PAIR] * TIMES
        assert [event["reason"] for event in outcome.told("canceled")] == ["EndOfStream"]
        offsets = [event["offset"] for event in outcome.told("recognized")]
        assert offsets == sorted(set(offsets))

    @by(JS, NATIVE)
    def test_the_next_connection_has_the_same_id(self, told: Told, client: Client) -> None:
        sessions = told.sessions(self.CUT, client)
        assert len(sessions) >= 4
        ids = {dict(session["request"]["headers"])["X-ConnectionId"] for session in sessions}
        assert len(ids) == 1

    @by(JS, NATIVE)
    def test_a_cut_is_the_close_and_nothing_else(self, told: Told, client: Client) -> None:
        *cut, _ = told.sessions(self.CUT, client)
        for session in cut:
            assert (session["close"]["by"], session["close"]["code"]) == ("server", 1001)
            assert {"turn.end", "speech.endDetected"} & set(sent(session)) == set()
        outcome = told.of(self.CUT, client)
        assert {event["reason"] for event in outcome.told("recognized")} == {"TranslatedSpeech"}
        assert outcome.told("speechEndDetected") == []


class TestOffsets:
    """P-06, P-06b: over a session of many turns; the next speech comes when the end of the last one was told."""

    TURNS: Final = ask(
        JS,
        NATIVE,
        server="hasty",
        mode="continuous",
        input={"kind": "push", "wav": CLEAR_WAV, "pace": 2, "again": TIMES - 1},
    )

    @by(JS, NATIVE)
    def test_each_end_of_speech_is_told(self, told: Told, client: Client) -> None:
        outcome = told.of(self.TURNS, client)
        ends_cleanly(outcome)
        assert outcome.texts == [TRAIN.text] * TIMES
        assert len(outcome.told("speechEndDetected")) == TIMES - 1
        assert contexts(told.sessions(self.TURNS, client)) == TIMES

    @by(JS, NATIVE)
    def test_all_lie_behind_the_last_result(self, told: Told, client: Client) -> None:
        last = 0
        for event in told.of(self.TURNS, client).events:
            if "offset" in event:
                assert event["offset"] > last
                last = event["offset"] if event["event"] == "recognized" else last


class TestStoppedInMidSentence:
    """Behaviour of experiment 1b: a stop while somebody speaks; the rest is heard once there is a start again."""

    ASKED: Final = {
        path: ask(JS, NATIVE, path=path, mode="continuous", input=LIVE, runs=2, stop_after=1.0, pause=0.2)
        for path in (V1, V2)
    }

    @pytest.mark.parametrize("path", ASKED)
    @by(JS, NATIVE)
    def test_each_start_hears_a_part_and_each_stop_comes_back(self, told: Told, path: str, client: Client) -> None:
        outcome = told.of(self.ASKED[path], client)
        ends_cleanly(outcome)
        assert outcome.order("recognized", "stopped") == ["recognized", "stopped"] * 2
        assert len(outcome.texts) == 2
        assert outcome.texts[0] == COFFEE.text

    @pytest.mark.parametrize("path", ASKED)
    @by(JS, NATIVE)
    def test_turns_do_not_go_on_without_end(self, told: Told, path: str, client: Client) -> None:
        assert contexts(told.sessions(self.ASKED[path], client)) <= 4


class TestIdle:
    """Rule of experiment 4: a connection on which nothing goes on ends with 1000, and the next call opens another."""

    ASKED: Final = ask(JS, NATIVE, server="idle", mode="once", input=LIVE, runs=2, pause=1.5)

    @by(JS, NATIVE)
    def test_both_calls_return_their_sentence(self, told: Told, client: Client) -> None:
        outcome = told.of(self.ASKED, client)
        assert outcome.code == 0
        assert outcome.told("canceled", "rejected", "error") == []
        for result, said in zip(outcome.told("returned"), PAIR, strict=True):
            says(result, said)

    @by(JS, NATIVE)
    def test_the_server_has_closed_in_between(self, told: Told, client: Client) -> None:
        first, _ = told.sessions(self.ASKED, client)
        assert (first["close"]["by"], first["close"]["code"]) == ("server", 1000)


class TestStopWithResultsPending:
    """P-26: the file is with the server already, and its results are not yet there."""

    ASKED: Final = ask(JS, NATIVE, server="slow", mode="continuous", input=FILE, stop_after=1.0)

    @by(JS, NATIVE)
    def test_they_come_and_then_the_end(self, told: Told, client: Client) -> None:
        outcome = told.of(self.ASKED, client)
        ends_cleanly(outcome)
        assert outcome.texts == [COFFEE.text] * 2
        assert outcome.told("recognized")[0]["t"] - outcome.told("sessionStarted")[0]["t"] > 1
        assert outcome.told("stopped")
        (session,) = told.sessions(self.ASKED, client)
        assert sent(session)[-1] == "turn.end"


class TestErrorClose:
    """P-20: it waits for audio, or for a tenth of a second; the client is the one of a browser."""

    ASKED: Final = ask(JS, mode="once", browser=True, input={**LIVE, "late": 0.5}, **{"from": "xx-XX"})

    @by(JS)
    def test_it_does_not_overtake_the_first_audio(self, told: Told, client: Client) -> None:
        outcome = told.of(self.ASKED, client)
        assert outcome.code == 0
        (error,) = outcome.told("canceled")
        assert error["errorCode"] == "BadRequestParameters"
        assert error["t"] - outcome.told("connected")[0]["t"] > 0.08


class TestPlainRecognition:
    """P-09, P-10: a recognizer that does not translate, on the same path; a JS one needs what is detailed."""

    ASKED: Final = ask(JS, NATIVE, mode="continuous", input=BURST, plain=True)
    DETAILED: Final = ask(JS, NATIVE, mode="continuous", input=BURST, plain=True, output="detailed")

    @by(JS, NATIVE)
    def test_both_sentences_and_the_end_of_the_stream(self, told: Told, client: Client) -> None:
        for asked in (self.ASKED, self.DETAILED):
            outcome = told.of(asked, client)
            ends_cleanly(outcome)
            assert outcome.texts == [said.text for said in PAIR]
            assert {event["reason"] for event in outcome.told("recognized")} == {"RecognizedSpeech"}
            assert {event["reason"] for event in outcome.told("recognizing")} == {"RecognizingSpeech"}

    @by(JS, NATIVE)
    def test_what_is_detailed_has_the_best_guesses(self, told: Told, client: Client) -> None:
        for event in told.of(self.DETAILED, client).told("recognized"):
            (best,) = json.loads(event["json"])["NBest"]
            assert {"Confidence", "Lexical", "ITN", "MaskedITN", "Display"} <= best.keys()
            assert best["Display"] == event["text"]


class TestDetailedTranslation:
    """P-10: the best guesses lie within the SpeechPhrase of v2, and at the top in v1; the usual text stays."""

    ASKED: Final = {path: ask(NATIVE, path=path, mode="once", input=BURST, output="detailed") for path in (V1, V2)}

    @by(NATIVE)
    def test_the_best_guesses_are_where_the_text_is(self, told: Told, client: Client) -> None:
        for path, name in ((V1, "Text"), (V2, "DisplayText")):
            outcome = told.of(self.ASKED[path], client)
            ends_cleanly(outcome)
            (result,) = outcome.told("returned")
            says(result, COFFEE)
            body = json.loads(result["json"])
            phrase = body["SpeechPhrase"] if path == V2 else body
            assert phrase[name] == COFFEE.text
            assert phrase["NBest"][0]["Display"] == COFFEE.text


class TestRoundTrip:
    """P-07, P-09: the voice of a sentence is a file that can be recognized."""

    SPOKEN: Final = ask(JS, mode="once", input=BURST, to=["de"], voice=VOICE)

    @by(JS)
    def test_what_is_spoken_is_heard(self, told: Told, client: Client, tmp_path: Path) -> None:
        spoken = told.of(self.SPOKEN, client)
        ends_cleanly(spoken)
        speaks(spoken, [COFFEE.translations["de"]])
        file = tmp_path / "voice.wav"
        file.write_bytes(spoken.audio[0])
        source = {"kind": "file", "wav": str(file)}
        heard = run(client, url=told.urls["usual"] + V2, mode="once", input=source, plain=True, **{"from": "de-DE"})
        ends_cleanly(heard)
        (result,) = heard.told("returned")
        assert result["reason"] == "RecognizedSpeech"
        assert result["text"]


class TestManyTargets:
    """P-11: v2 echoes the tags that are asked for, v1 shortens them; both keep the order."""

    ASKED: Final = {
        path: ask(JS, path=path, mode="once", input=BURST, to=["fr-FR", "es-MX", "de", "de-DE"]) for path in (V1, V2)
    }

    @by(JS)
    def test_their_tags_and_order(self, told: Told, client: Client) -> None:
        for path, tags in ((V1, ["fr", "es", "de"]), (V2, ["fr-FR", "es-MX", "de", "de-DE"])):
            outcome = told.of(self.ASKED[path], client)
            ends_cleanly(outcome)
            (result,) = outcome.told("returned")
            assert list(result["translations"]) == tags
            assert all(list(event["translations"]) == tags for event in outcome.told("recognizing"))

    @by(JS)
    def test_a_language_beside_its_own_region_is_the_same(self, told: Told, client: Client) -> None:
        texts = told.of(self.ASKED[V2], client).told("returned")[0]["translations"]
        assert texts["de"] == texts["de-DE"] == COFFEE.translations["de"]


class TestUnknownTargetWithAVoice:
    """P-13: one target of two is unknown; the voice is not cancelled for it."""

    ASKED: Final = ask(JS, NATIVE, mode="once", input=BURST, to=["de", "zz"], voice=VOICE)

    @by(JS, NATIVE)
    def test_what_was_said_is_kept(self, told: Told, client: Client) -> None:
        outcome = told.of(self.ASKED, client)
        ends_cleanly(outcome)
        (result,) = outcome.told("returned")
        assert (result["reason"], result["text"]) == ("RecognizedSpeech", COFFEE.text)
        assert "Canceled" not in [event["reason"] for event in outcome.told("synthesizing")]


class TestToken:
    """P-15, P-16: a token that was asked for without a body, given in the query alone as a browser does."""

    ASKED: Final = ask(JS, mode="once", input=BURST, browser=True, token="{}")

    @by(JS)
    def test_opens_the_session(self, told: Told, client: Client) -> None:
        outcome = told.of(self.ASKED, client)
        ends_cleanly(outcome)
        says(outcome.told("returned")[0], COFFEE)
        (session,) = told.sessions(self.ASKED, client)
        assert "Authorization" in query(session)
        assert "authorization" not in {name.lower() for name, _ in session["request"]["headers"]}


class TestEntraToken:
    """P-17: with the resource in front, in the header and in the query alone."""

    VALUE: Final = "aad#/subscriptions/0/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a#{}"
    ASKED: Final = (
        ask(JS, NATIVE, mode="once", input=BURST, token=VALUE),
        ask(JS, mode="once", input=BURST, token=VALUE, browser=True),
    )

    @by(JS, NATIVE)
    def test_opens_the_session(self, told: Told, client: Client) -> None:
        for asked in self.ASKED:
            if client in asked.clients:
                outcome = told.of(asked, client)
                ends_cleanly(outcome)
                says(outcome.told("returned")[0], COFFEE)


class TestDetection:
    """P-22: the language is found without one being named, and is a target as well."""

    NO_SOURCE: Final[Mapping[str, Any]] = {"from": None}
    TARGETS: Final = ("fr", "en", "de")
    OPEN: Final = ask(JS, mode="once", input=BURST, candidates="open", to=TARGETS)
    CANDIDATES: Final = ask(JS, mode="once", input=BURST, candidates=["de-DE", "en-US"], to=TARGETS, **NO_SOURCE)

    @by(JS)
    def test_open_it_is_bare_and_out_of_candidates_it_is_one_of_them(self, told: Told, client: Client) -> None:
        texts = {**COFFEE.translations, "en": COFFEE.text}
        for asked, language in ((self.OPEN, "en"), (self.CANDIDATES, "en-US")):
            outcome = told.of(asked, client)
            ends_cleanly(outcome)
            (result,) = outcome.told("returned")
            assert result["language"] == language
            assert list(result["translations"].items()) == [(target, texts[target]) for target in self.TARGETS]

    @by(JS)
    def test_a_request_may_have_a_source_without_a_value(self, told: Told, client: Client) -> None:
        (session,) = told.sessions(self.CANDIDATES, client)
        assert re.search(r"[?&]from(&|$)", session["request"]["target"])


class TestOrderOfEvents:
    """P-25, P-27: what is told of one sentence, and how it looks until it is final."""

    ASKED: Final = {path: ask(JS, NATIVE, path=path, mode="once", input=BURST) for path in (V1, V2)}

    @pytest.mark.parametrize("path", ASKED)
    @by(JS, NATIVE)
    def test_the_start_is_first_and_nothing_interim_follows_the_final(
        self, told: Told, path: str, client: Client
    ) -> None:
        outcome = told.of(self.ASKED[path], client)
        ends_cleanly(outcome)
        names = ("sessionStarted", "speechStartDetected", "recognizing", "recognized", "sessionStopped")
        interim = ["recognizing"] * len(outcome.told("recognizing"))
        assert outcome.order(*names) == [*names[:2], *interim, *names[3:]]
        assert interim

    @pytest.mark.parametrize("path", ASKED)
    @by(JS)
    def test_the_end_of_speech_is_told_before_that_of_the_session(self, told: Told, path: str, client: Client) -> None:
        order = told.of(self.ASKED[path], client).order("speechEndDetected", "sessionStopped")
        assert order == ["speechEndDetected", "sessionStopped"]

    @pytest.mark.parametrize("path", ASKED)
    @by(JS, NATIVE)
    def test_what_is_interim_is_raw_and_translated(self, told: Told, path: str, client: Client) -> None:
        for event in told.of(self.ASKED[path], client).told("recognizing"):
            assert re.fullmatch(r"[a-z]+( [a-z]+)*", event["text"])
            assert all(event["translations"].values())
            assert list(event["translations"]) == ["de", "fr"]


class TestCustomSegmentation:
    """P-28: the silence that the application asks for is what ends a sentence, with a semantic strategy too."""

    SILENCE: Final = {"Speech_SegmentationSilenceTimeoutMs": "2000"}
    ASKED: Final = (
        ask(JS, mode="continuous", input=BURST, properties=SILENCE),
        ask(JS, mode="continuous", input=BURST, properties={**SILENCE, "Speech_SegmentationStrategy": "Semantic"}),
    )

    @by(JS)
    def test_a_shorter_pause_divides_nothing(self, told: Told, client: Client) -> None:
        for asked in self.ASKED:
            outcome = told.of(asked, client)
            ends_cleanly(outcome)
            (result,) = outcome.told("recognized")
            assert result["offset"] == COFFEE.start_ms * TICKS_PER_MS
            assert result["offset"] + result["duration"] >= STATION.end_ms * TICKS_PER_MS
            (session,) = told.sessions(asked, client)
            assert '"segmentationSilenceTimeoutMs":2000' in "".join(session["received"]["texts"])


class TestFileTwice:
    """Rule of experiment 5: what is still on its way of a turn that is over is dropped, and nobody is cut off."""

    ASKED: Final = {path: ask(JS, NATIVE, path=path, mode="once", input=FILE, runs=2) for path in (V1, V2)}

    @pytest.mark.parametrize("path", ASKED)
    @by(JS, NATIVE)
    def test_both_calls_return_a_sentence(self, told: Told, path: str, client: Client) -> None:
        outcome = told.of(self.ASKED[path], client)
        ends_cleanly(outcome)
        first, second = outcome.told("returned")
        says(first, COFFEE)
        says(second, STATION if client is NATIVE else COFFEE)  # JS reads its file from the beginning


class TestNothingSaid:
    """Rule of experiment 7: the one final of a call is never a mere acknowledgement."""

    ASKED: Final = {
        path: ask(
            JS,
            NATIVE,
            path=path,
            mode="once",
            input={"kind": "file", "wav": str(schemas.corpus_dir() / "silence.wav")},
        )
        for path in (V1, V2)
    }

    @pytest.mark.parametrize("path", ASKED)
    @by(JS, NATIVE)
    def test_a_call_returns_no_match(self, told: Told, path: str, client: Client) -> None:
        outcome = told.of(self.ASKED[path], client)
        ends_cleanly(outcome)
        (result,) = outcome.told("returned")
        assert result["reason"] == "NoMatch"
        assert not result.get("text")


@pytest.mark.sdk
@pytest.mark.node
class TestRedirectLookup:
    """P-14: without a path JS first asks at port 443, without credentials; what is no address lets it go on."""

    @pytest.fixture(scope="class")
    @classmethod
    def outcomes(cls, speechwire: Speechwire) -> list[Outcome]:
        """Give what it made of a server that answers there, and of one that is not there."""
        if JS.missing:
            pytest.skip(JS.missing)
        with speechwire.serve("--tls") as serving, ThreadPoolExecutor(2) as pool:
            ca = serving.line().removeprefix("CA ")
            url = serving.url.replace("127.0.0.1", "localhost") + "/"
            runs = pool.map(
                lambda port: run(JS, url=url, trust=ca, mode="once", input=BURST, https=port),
                (serving.port, dead_port()),
            )
            outcomes = list(runs)
            stopped = serving.stop()
            assert (stopped.code, stopped.err) == (0, "")
        return outcomes

    def test_it_goes_on_where_it_is(self, outcomes: list[Outcome]) -> None:
        ends_cleanly(outcomes[0])
        says(outcomes[0].told("returned")[0], COFFEE)

    def test_it_does_ask(self, outcomes: list[Outcome]) -> None:
        assert outcomes[1].told("connected", "recognized") == []


def dead_port() -> int:
    """Return a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
