"""The decisions of the reference sessions of the speech dialects, each of them a field."""

from __future__ import annotations

import dataclasses

import pytest

from protocol.speech.server.policy import Policy


class TestDefaults:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("endpoint_silence_ms", 800),
            ("max_utterance_ms", 30_000),
            ("partial_interval_ms", 300),
            ("initial_silence_ms", 5000),
            ("silence_ms", 15_000),
            ("end_grace_ms", 200),
            ("error_delay_ms", 100),
            ("reaction_s", 1),
            ("idle_s", 180),
            ("connection_limit_s", 600),
            ("drain_s", 10),
            ("voice_chunk_bytes", 65_536),
            ("text_bytes", 1 << 20),
            ("binary_bytes", 1 << 20),
            ("headerless_audio", False),
            ("turns", 10_000),
        ],
    )
    def test_are_these(self, field: str, value: object) -> None:
        assert getattr(Policy(), field) == value

    def test_are_all_here(self) -> None:
        assert len(dataclasses.fields(Policy)) == 16

    def test_acknowledge_audio_long_before_a_client_gives_up(self) -> None:
        assert Policy().silence_ms + Policy().max_utterance_ms < 60_000

    def test_wait_at_least_one_chunk_for_audio_that_voids_an_end(self) -> None:
        assert 150 <= Policy().end_grace_ms <= 250


class TestOverride:
    def test_changes_one_field_and_leaves_the_original(self) -> None:
        default = Policy()
        changed = dataclasses.replace(default, idle_s=1.5)
        assert (changed.idle_s, default.idle_s) == (1.5, 180)
        assert dataclasses.replace(changed, idle_s=180.0) == default

    def test_is_the_only_way_to_change_one(self) -> None:
        with pytest.raises(dataclasses.FrozenInstanceError):
            Policy().idle_s = 1.5  # type: ignore[misc]  # that is the point
