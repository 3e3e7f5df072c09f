from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from reference_server.engines.local import apertium, espeak, fast, hibari, kokoro, models, sphinx
from reference_server.engines.local.parts import Part, Unavailable

MEND = "pip install it"


class TestFolder:
    def test_is_found_without_an_import(self) -> None:
        assert (models.folder("schemas", MEND) / "corpus").is_dir()

    @pytest.mark.parametrize("package", ["speechwire_nowhere", "this"], ids=["absent", "a module"])
    def test_of_what_is_not_there_the_command_is_told(self, package: str) -> None:
        with pytest.raises(Unavailable, match=rf"^{package} is not installed; {MEND}$"):
            models.folder(package, MEND)


class TestPinned:
    def test_files_are_the_pinned_ones(self, tmp_path: Path) -> None:
        (tmp_path / "model").write_bytes(b"weights")
        models.pinned(tmp_path, {"model": hashlib.sha256(b"weights").hexdigest()}, MEND)

    def test_one_that_is_gone_is_named(self, tmp_path: Path) -> None:
        told = rf"^the model file model cannot be read \(No such file or directory\); {MEND}$"
        with pytest.raises(Unavailable, match=told):
            models.pinned(tmp_path, {"model": "0" * 64}, MEND)

    def test_one_that_differs_by_a_bit_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "model").write_bytes(b"weightt")
        with pytest.raises(Unavailable, match=rf"^the model file model is not the pinned one \(SHA-256 .*…\); {MEND}$"):
            models.pinned(tmp_path, {"model": hashlib.sha256(b"weights").hexdigest()}, MEND)


@pytest.mark.parametrize("factory", [sphinx.part, fast.part, espeak.part, hibari.part, kokoro.part])
class TestParts:
    def test_without_a_model_of_the_users_take_none(
        self, factory: Callable[[Path | None], Part], tmp_path: Path
    ) -> None:
        with pytest.raises(Unavailable, match=r"^it takes no model directory; leave --model out$"):
            factory(tmp_path)

    def test_that_are_not_installed_tell_the_command(
        self, factory: Callable[[Path | None], Part], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (models, espeak):
            monkeypatch.setattr(module, "find_spec", lambda _: None)
        monkeypatch.setattr(espeak, "find_library", lambda _: None)
        with pytest.raises(Unavailable, match=r"is(?: not)? installed; pip install 'speechwire"):
            factory(None)


class TestApertium:
    def test_that_is_not_installed_tells_the_command(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match=r"has no pair of languages; apt-get install apertium "):
            apertium.part(tmp_path)
