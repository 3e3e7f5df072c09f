from __future__ import annotations

import pytest

from protocol.translator.query import as_instance
from protocol.validate import validator

LEAST = (("api-version", "1.0"), ("from", "en-US"), ("to", "it"))


class TestAsInstance:
    def test_a_usual_query_is_valid(self) -> None:
        instance = as_instance((*LEAST, ("features", "Partial,TimingInfo"), ("voice", "it-IT-Elsa")))
        assert instance == {
            "api-version": "1.0",
            "from": "en-US",
            "to": "it",
            "features": ["Partial", "TimingInfo"],
            "voice": "it-IT-Elsa",
        }
        assert validator("translator/handshake-query").errors(instance) == ()

    def test_names_and_feature_words_get_one_spelling(self) -> None:
        pairs = (("PROFANITYACTION", "Marked"), ("x-clienttraceid", "1"), ("Features", "texttospeech,timingInfo"))
        assert as_instance(pairs) == {
            "ProfanityAction": "Marked",
            "X-ClientTraceId": "1",
            "features": ["TextToSpeech", "TimingInfo"],
        }

    def test_other_values_stay_as_they_were_sent(self) -> None:
        pairs = (("from", "EN-us"), ("features", "Emotion,, partial"), ("format", "AUDIO/WAV"))
        assert as_instance(pairs) == {
            "from": "EN-us",
            "features": ["Emotion", "", " partial"],
            "format": "AUDIO/WAV",
        }

    def test_an_empty_value_counts_as_none(self) -> None:
        assert as_instance((("voice", ""), ("features", ""), ("to", ""), ("to", "it"))) == {"to": "it"}

    def test_a_repeated_parameter_is_a_list(self) -> None:
        instance = as_instance((("to", "it"), ("To", "fr"), ("features", "Partial"), ("features", "TimingInfo")))
        assert instance == {"to": ["it", "fr"], "features": ["Partial", "TimingInfo"]}

    @pytest.mark.parametrize("name", ["access_token", "subscription-key", "Subscription-Key", "flight"])
    def test_credentials_and_unknown_parameters_are_left_out(self, name: str) -> None:
        assert as_instance(((name, "secret"),)) == {}

    def test_a_header_wins_over_its_query_twin(self) -> None:
        headers = (("x-correlationid", "room-7"), ("X-ClientVersion", ""), ("X-Other", "x"), ("from", "a@example.org"))
        pairs = (("X-CorrelationId", "room-8"), ("X-ClientVersion", "2.1"), ("X-OsPlatform", "Android 5.0"))
        assert as_instance(pairs, headers) == {
            "X-CorrelationId": "room-7",
            "X-ClientVersion": "2.1",
            "X-OsPlatform": "Android 5.0",
        }

    def test_nothing_gives_nothing(self) -> None:
        assert as_instance(()) == {}
