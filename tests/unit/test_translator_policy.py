"""The decisions of the reference sessions: those of the documented defaults, each of them a field."""

from __future__ import annotations

import dataclasses

import pytest

from protocol.translator.policy import Policy


class TestDefaults:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("endpoint_silence_ms", 800),
            ("max_utterance_ms", 30_000),
            ("partial_interval_ms", 300),
            ("idle_s", 600),
            ("silence_limit_s", 180),
            ("session_limit_s", 90 * 60),
            ("drain_s", 10),
            ("voice_frame_bytes", 16 * 1024),
            ("asterisks", "***"),
            ("tag", "profanity"),
        ],
    )
    def test_are_those_that_the_register_notes(self, field: str, value: object) -> None:
        assert getattr(Policy(), field) == value

    def test_two_samples_that_rely_on_a_second_of_silence_get_their_final(self) -> None:
        assert Policy().endpoint_silence_ms < 1000

    def test_a_client_that_idles_for_nine_minutes_is_not_cut_off(self) -> None:
        assert Policy().idle_s > 9 * 60


class TestOverride:
    def test_changes_one_field_and_leaves_the_original(self) -> None:
        default = Policy()
        changed = dataclasses.replace(default, idle_s=1.5)
        assert (changed.idle_s, default.idle_s) == (1.5, 600)
        assert dataclasses.replace(changed, idle_s=600.0) == default

    def test_is_the_only_way_to_change_one(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            Policy().idle_s = 1.5  # type: ignore[misc]  # that is the point
