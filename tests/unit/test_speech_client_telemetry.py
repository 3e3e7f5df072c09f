from __future__ import annotations

import pytest

from protocol.speech.client.telemetry import MOST_TIMES, Attempt, Report, error_word, failures

ID = "0" * 31 + "c"


def stamp(time: float) -> str:
    return f"at {time}"


class TestReport:
    def test_lists_every_message_by_its_path_in_the_order_of_the_first(self) -> None:
        report = Report()
        for path, time in (("turn.start", 1.0), ("translation.phrase", 2.0), ("turn.end", 3.0)):
            report.received(path, time)
        report.received("translation.phrase", 2.5)
        assert report.body(ID, stamp)["ReceivedMessages"] == [
            {"turn.start": ["at 1.0"]},
            {"translation.phrase": ["at 2.0", "at 2.5"]},
            {"turn.end": ["at 3.0"]},
        ]

    def test_is_bounded(self) -> None:
        report = Report()
        for index in range(MOST_TIMES + 5):
            report.received("audio", float(index))
        [times] = report.body(ID, stamp)["ReceivedMessages"]
        assert len(times["audio"]) == MOST_TIMES

    def test_the_first_turn_tells_of_the_connection(self) -> None:
        report = Report(connected=Attempt(1.0, 1.5))
        assert report.body(ID, stamp)["Metrics"] == [
            {"Name": "Connection", "Id": ID, "Start": "at 1.0", "End": "at 1.5"}
        ]

    def test_the_microphone_was_open_from_the_first_audio_to_the_last(self) -> None:
        report = Report()
        for time in (2.0, 3.0, 4.0):
            report.listened(time)
        assert report.body(ID, stamp)["Metrics"] == [{"Name": "Microphone", "Start": "at 2.0", "End": "at 4.0"}]

    def test_a_turn_without_audio_has_no_microphone(self) -> None:
        assert Report().body(ID, stamp) == {"ReceivedMessages": [], "Metrics": []}


class TestFailedAttempts:
    def test_share_one_message_without_received_ones(self) -> None:
        assert failures([Attempt(1.0, 2.0, "Timeout"), Attempt(3.0, 4.0, "Forbidden")], ID, stamp) == {
            "Metrics": [
                {"Name": "Connection", "Id": ID, "Start": "at 1.0", "End": "at 2.0", "Error": "Timeout"},
                {"Name": "Connection", "Id": ID, "Start": "at 3.0", "End": "at 4.0", "Error": "Forbidden"},
            ]
        }

    @pytest.mark.parametrize(
        ("status", "word"),
        [
            (400, "BadRequest"),
            (401, "Unauthorized"),
            (403, "Forbidden"),
            (404, "ClientError"),
            (408, "Timeout"),
            (429, "NoResources"),
            (500, "ServerError"),
            (502, "ServerError"),
            (503, "ServerUnavailable"),
            (302, "ClientError"),
        ],
    )
    def test_have_a_word_of_the_documents(self, status: int, word: str) -> None:
        assert error_word(status) == word
