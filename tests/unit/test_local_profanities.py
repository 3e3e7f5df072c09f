from __future__ import annotations

import json

import pytest

import schemas
from reference_server.engines.local.profanities import found


class TestFound:
    def test_words_are_whole_and_compared_without_case(self) -> None:
        assert found(["A Damn class."], ["en"]) == {"damn"}

    def test_only_the_languages_that_are_meant(self) -> None:
        assert found(["que merda"], ["en"]) == frozenset()
        assert found(["que merda"], ["en", "pt"]) == {"merda"}

    def test_an_unknown_language_has_none(self) -> None:
        assert found(["damn"], ["tlh"]) == frozenset()


def test_the_list_knows_what_the_corpus_says() -> None:
    manifest = json.loads((schemas.corpus_dir() / "manifest.json").read_bytes())
    said = [entry for entry in manifest["recordings"] if entry["profanities"]]
    assert said
    for entry in said:
        assert found([entry["text"]], ["en"]) == set(entry["profanities"])


@pytest.mark.parametrize("language", ["en", "pt", "es", "fr", "it", "de"])
def test_listed_words_can_be_found_at_all(language: str) -> None:
    from reference_server.engines.local import profanities  # noqa: PLC0415 - its table is no public name

    listed = profanities._words()[language]  # noqa: SLF001 - the same
    assert found([" ".join(listed)], [language]) == listed
