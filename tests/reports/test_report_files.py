"""Report files: whole or not at all, and one sentence where they cannot be written."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from conformance.report.files import ReportError, ensure_writable, write


def fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


class TestWrite:
    def test_makes_the_file(self, tmp_path: Path) -> None:
        write(tmp_path / "report.json", "你好\n")
        assert (tmp_path / "report.json").read_bytes() == "你好\n".encode()
        assert os.listdir(tmp_path) == ["report.json"]

    def test_takes_a_path_as_text(self, tmp_path: Path) -> None:
        write(f"{tmp_path}/report.json", "{}")
        assert (tmp_path / "report.json").read_text() == "{}"

    def test_is_as_readable_as_any_new_file(self, tmp_path: Path) -> None:
        old = os.umask(0o027)
        try:
            write(tmp_path / "report.json", "{}")
        finally:
            os.umask(old)
        assert stat.S_IMODE((tmp_path / "report.json").stat().st_mode) == 0o640

    def test_replaces_a_file_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "report.json"
        path.write_text("old")
        with path.open() as reader:
            write(path, "new")
            assert reader.read() == "old"
        assert path.read_text() == "new"

    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_leaves_no_part_behind_where_it_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ) -> None:
        path = tmp_path / "report.json"
        path.write_text("old")
        monkeypatch.setattr(os, step, fail)
        with pytest.raises(ReportError) as caught:
            write(path, "new")
        assert str(caught.value) == f"cannot write the report {path}: no space left on device"
        assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["report.json"])

    def test_replaces_the_target_of_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real/report.json")
        write(tmp_path / "link", "{}")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real" / "report.json").read_text() == "{}"

    def test_works_beside_the_target_of_a_link(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # A file can be renamed within one file system only, and a link may lead to another.
        moved: list[tuple[Path, Path]] = []
        monkeypatch.setattr(os, "replace", lambda source, target: moved.append((Path(source), Path(target))))
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to("real/report.json")
        write(tmp_path / "link", "{}")
        assert [(source.parent, target) for source, target in moved] == [
            (tmp_path / "real", tmp_path / "real" / "report.json")
        ]

    def test_writes_into_a_pipe(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        read: list[str] = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
        reader.start()
        write(pipe, "{}")
        reader.join(10)
        assert read == ["{}"]
        assert stat.S_ISFIFO(pipe.stat().st_mode)

    def test_spells_a_lone_surrogate(self, tmp_path: Path) -> None:
        write(tmp_path / "report.txt", "a\ud800b")
        assert (tmp_path / "report.txt").read_text() == "a\\ud800b"


class TestUnwritable:
    @pytest.mark.parametrize(
        "call", [lambda path: write(path, "{}"), ensure_writable], ids=["write", "ensure_writable"]
    )
    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("missing/report.json", "no such file or directory"),
            ("file/report.json", "not a directory"),
            ("folder", "is a directory"),
            ("x" * 300, "file name too long"),
        ],
    )
    def test_is_told_in_one_sentence(self, tmp_path: Path, call: object, place: str, reason: str) -> None:
        (tmp_path / "file").write_text("kept")
        (tmp_path / "folder").mkdir()
        path = tmp_path / place
        assert callable(call)
        with pytest.raises(ReportError) as caught:
            call(path)
        assert caught.value == ReportError(path, reason)
        assert str(caught.value) == f"cannot write the report {path}: {reason}"
        assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


class TestEnsureWritable:
    def test_leaves_nothing_behind(self, tmp_path: Path) -> None:
        ensure_writable(tmp_path / "report.json")
        assert os.listdir(tmp_path) == []

    def test_leaves_a_file_as_it_was(self, tmp_path: Path) -> None:
        (tmp_path / "report.json").write_text("old")
        ensure_writable(tmp_path / "report.json")
        assert (tmp_path / "report.json").read_text() == "old"

    def test_takes_a_pipe_without_waiting_for_its_reader(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        ensure_writable(str(tmp_path / "pipe"))
        assert os.listdir(tmp_path) == ["pipe"]
