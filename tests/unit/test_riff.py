"""RIFF/WAVE headers and files: what is written, what is read, and where an error is."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.audio import Codec, PcmFormat
from protocol.errors import PeerViolation
from protocol.riff import (
    MAX_HEADER,
    STREAM,
    HeaderReader,
    HeaderRules,
    RiffHeader,
    build_file,
    build_header,
    parse_file,
)

CONTAINER = "translator.audio.header-first"
FORMAT = "translator.audio.format"
COMPLETE = "translator.voice.complete-file"
PCM16K = PcmFormat(16000)
PCM_GUID = bytes.fromhex("01000000 0000 1000 8000 00aa00389b71")
RECORDINGS = Path(__file__).parents[3] / "shared" / "audio" / "librivox"


def fmt(tag: int = 1, channels: int = 1, rate: int = 16000, bits: int = 16) -> bytes:
    """Return the body of a `fmt ` chunk, written without the module under test."""
    align = channels * bits // 8
    return struct.pack("<HHIIHH", tag, channels, rate, rate * align, align, bits)


def extension(valid_bits: int = 16, guid: bytes = PCM_GUID, size: int = 22) -> bytes:
    return struct.pack("<HHI", size, valid_bits, 4) + guid


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def stream(*chunks: bytes) -> bytes:
    """Return a header of open sizes with these chunks before `data`."""
    return b"RIFF\0\0\0\0WAVE" + b"".join(chunks) + b"data\0\0\0\0"


def read(data: bytes) -> tuple[RiffHeader, bytes]:
    answer = HeaderReader().feed(data)
    assert answer is not None
    return answer


def outcome(parts: Iterable[bytes]) -> RiffHeader | PeerViolation | None:
    """Return what a reader makes of these messages: its header, its error, or nothing yet."""
    reader = HeaderReader()
    for part in parts:
        try:
            answer = reader.feed(part)
        except PeerViolation as error:
            return error
        if answer is not None:
            return answer[0]
    return None


def error_of(data: bytes) -> PeerViolation:
    error = outcome([data])
    assert isinstance(error, PeerViolation)
    return error


def file_error_of(data: bytes) -> PeerViolation:
    with pytest.raises(PeerViolation) as caught:
        parse_file(data)
    return caught.value


ids = st.binary(min_size=4, max_size=4).map(lambda raw: bytes(0x20 + byte % 95 for byte in raw))
extra = st.lists(st.tuples(ids.filter(lambda name: name not in (b"fmt ", b"data")), st.binary(max_size=33)), max_size=4)
formats = st.builds(PcmFormat, rate=st.integers(8000, 48000))
sizes = st.one_of(st.sampled_from([0, 0xFFFFFFFF]), st.integers(0, 0xFFFF0000))
headers = st.builds(
    build_header,
    formats,
    data_size=sizes,
    riff_size=st.one_of(st.none(), sizes),
    fmt_size=st.sampled_from([16, 18]),
    extra_chunks=extra,
)


class TestHeaderForms:
    """The forms of header that real clients send."""

    def test_the_documented_header_of_44_bytes(self) -> None:
        written = (
            b"RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00"
            b"\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00"
        )
        assert build_header(PCM16K) == written
        assert read(written + b"ab") == (
            RiffHeader(PCM16K, 0, 0, 44, 16, ((b"fmt ", 16), (b"data", 0))),
            b"ab",
        )

    def test_a_header_of_46_bytes(self) -> None:
        header, rest = read(build_header(PCM16K, fmt_size=18) + b"ab")
        assert (header.length, header.fmt_size, rest) == (46, 18, b"ab")
        assert build_header(PCM16K, fmt_size=18)[36:] == b"\0\0data\0\0\0\0"

    def test_the_captured_header_of_a_synthesised_voice(self) -> None:
        # The capture shows the first 20 bytes; the rest is what its sizes and the documented format leave open.
        captured = bytes.fromhex("52494646 864c0100 57415645 666d7420 12000000")
        whole = captured + fmt(rate=24000) + b"\0\0" + b"data" + struct.pack("<I", 85126 - 38) + bytes(85126 - 38)
        header, samples = parse_file(whole)
        assert (header.riff_size, header.fmt_size, header.length) == (85126, 18, 46)
        assert (header.format, header.data_size, len(samples)) == (PcmFormat(24000), 85088, 85088)
        assert build_file(PcmFormat(24000), samples, fmt_size=18) == whole

    def test_sizes_that_were_left_open(self) -> None:
        for size in (0, 0xFFFFFFFF):
            header, _ = read(build_header(PCM16K, data_size=size))
            assert (header.riff_size, header.data_size, header.announced) == (size, size, None)

    def test_true_sizes_and_audio_past_them(self) -> None:
        header, rest = read(build_file(PCM16K, b"abcd") + b"silence")
        assert (header.riff_size, header.announced, rest) == (40, 4, b"abcdsilence")

    def test_chunks_between_the_format_and_the_data(self) -> None:
        extra = ((b"LIST", b"INFOISFT\3\0\0\0abc"), (b"fact", b"1234"))
        header, rest = read(build_header(PCM16K, extra_chunks=extra) + b"ab")
        assert header.chunks == ((b"fmt ", 16), (b"LIST", 15), (b"fact", 4), (b"data", 0))
        assert (header.length, rest) == (44 + 8 + 16 + 8 + 4, b"ab")

    def test_a_chunk_before_the_format(self) -> None:
        header, _ = read(stream(chunk(b"JUNK", bytes(28)), chunk(b"fmt ", fmt())))
        assert header.chunks == ((b"JUNK", 28), (b"fmt ", 16), (b"data", 0))

    def test_ids_of_other_chunks_may_have_any_printable_character(self) -> None:
        header, _ = read(build_header(PCM16K, extra_chunks=[(b" ~ ~", b"")]))
        assert header.chunks[1] == (b" ~ ~", 0)

    @pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 48000])
    def test_rates_of_known_clients(self, rate: int) -> None:
        assert read(stream(chunk(b"fmt ", fmt(rate=rate))))[0].format == PcmFormat(rate)

    def test_the_extensible_form_of_pcm(self) -> None:
        header, rest = read(stream(chunk(b"fmt ", fmt(tag=0xFFFE) + extension())) + b"ab")
        assert (header.format, header.fmt_size, header.length, rest) == (PCM16K, 40, 68, b"ab")

    def test_what_follows_the_fields_of_plain_pcm_is_ignored(self) -> None:
        header, _ = read(stream(chunk(b"fmt ", fmt() + b"\xff" * 24)))
        assert (header.format, header.fmt_size) == (PCM16K, 40)


class TestSplits:
    """The header may come in any number of messages."""

    @given(header=headers, audio=st.binary(max_size=40), data=st.data())
    def test_what_was_built_is_read_over_any_split(self, header: bytes, audio: bytes, data: st.DataObject) -> None:
        whole = header + audio
        expected = read(whole)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
        reader = HeaderReader()
        for start, end in pairwise((0, *cuts, len(whole))):
            answer = reader.feed(whole[start:end])
            assert (answer is None) == (end < len(header))
            if answer is not None:
                assert answer == (expected[0], whole[len(header) : end])
                return

    @given(
        pcm=formats,
        data_size=sizes,
        riff_size=sizes,
        fmt_size=st.sampled_from([16, 18]),
        extra=extra,
    )
    def test_every_field_comes_back(
        self, pcm: PcmFormat, data_size: int, riff_size: int, fmt_size: int, extra: list[tuple[bytes, bytes]]
    ) -> None:
        written = build_header(
            pcm,
            data_size=data_size,
            riff_size=riff_size,
            fmt_size=16 if fmt_size == 16 else 18,
            extra_chunks=extra,
        )
        chunks = ((b"fmt ", fmt_size), *((name, len(body)) for name, body in extra), (b"data", data_size))
        assert read(written) == (RiffHeader(pcm, riff_size, data_size, len(written), fmt_size, chunks), b"")

    @given(header=headers)
    def test_one_byte_at_a_time(self, header: bytes) -> None:
        reader = HeaderReader()
        for at in range(len(header) - 1):
            assert reader.feed(header[at : at + 1]) is None
        assert reader.feed(header[-1:]) == (read(header)[0], b"")

    @given(header=headers, data=st.data())
    def test_every_truncation_is_not_yet(self, header: bytes, data: st.DataObject) -> None:
        assert HeaderReader().feed(header[: data.draw(st.integers(0, len(header) - 1))]) is None

    def test_empty_messages_change_nothing(self) -> None:
        reader = HeaderReader()
        header = build_header(PCM16K)
        assert [reader.feed(part) for part in (b"", header[:20], b"", header[20:43], b"")] == [None] * 5
        assert reader.feed(header[43:]) == (read(header)[0], b"")

    def test_a_reader_answers_once(self) -> None:
        reader = HeaderReader()
        reader.feed(build_header(PCM16K))
        with pytest.raises(RuntimeError, match="has been read"):
            reader.feed(b"")

    def test_a_reader_fails_once(self) -> None:
        reader = HeaderReader()
        with pytest.raises(PeerViolation):
            reader.feed(b"OggS")
        with pytest.raises(RuntimeError, match="has been read"):
            reader.feed(b"OggS")


class TestErrors:
    """Each error names the offset of the byte or of the field, what is allowed there, and the requirement."""

    @pytest.mark.parametrize(
        ("start", "offset", "expected", "observed"),
        [
            (b"{", 0, "0x52 of b'RIFF'", "0x7b"),
            (b"RIFX", 3, "0x46 of b'RIFF'", "0x58"),
            (b"RIFF\0\0\0\0A", 8, "0x57 of b'WAVE'", "0x41"),
            (
                stream(chunk(b"fmt ", fmt()))[:12] + b"fmt\0",
                15,
                "a chunk id of four printable ASCII characters",
                "0x00",
            ),
            (b"RIFF\0\0\0\0WAVEfm\x7f", 14, "a chunk id of four printable ASCII characters", "0x7f"),
            (b"RIFF\0\0\0\0WAVEdata", 12, "one 'fmt ' chunk, and that before 'data'", "'data'"),
            (stream(chunk(b"fmt ", fmt()))[:36] + b"fmt ", 36, "one 'fmt ' chunk, and that before 'data'", "'fmt '"),
        ],
    )
    def test_what_is_no_header_is_known_by_its_first_wrong_byte(
        self, start: bytes, offset: int, expected: str, observed: str
    ) -> None:
        assert HeaderReader().feed(start[:-1]) is None
        assert error_of(start) == PeerViolation(CONTAINER, f"offset {offset}", expected, observed)

    @pytest.mark.parametrize(
        ("body", "offset", "expected", "observed"),
        [
            (fmt()[:14], 16, "16, 18 or 40 bytes in 'fmt ' (PCM)", "14"),
            (fmt(tag=17) + bytes(4), 16, "16, 18 or 40 bytes in 'fmt ' (PCM)", "20"),
            (fmt(tag=7) + bytes(2), 20, "codec 1 (PCM)", "7"),
            (fmt(tag=0xFFFE), 20, "codec 1 (PCM)", "65534"),
            (fmt(channels=2), 22, "1 channel", "2"),
            (fmt(rate=7999), 24, "8000 to 48000 samples per second", "7999"),
            (fmt(rate=48001), 24, "8000 to 48000 samples per second", "48001"),
            (fmt(bits=8), 34, "16 bits per sample", "8"),
            (fmt()[:8] + b"\0\0\0\0" + fmt()[12:], 28, "32000 bytes per second", "0"),
            (fmt()[:12] + b"\4\0" + fmt()[14:], 32, "2 bytes per block", "4"),
            (fmt(tag=0xFFFE) + extension(size=0), 36, "22 bytes of extension", "0"),
            (fmt(tag=0xFFFE) + extension(valid_bits=12), 38, "16 valid bits per sample", "12"),
            (fmt(tag=0xFFFE) + extension(guid=b"\3" + PCM_GUID[1:]), 44, f"0x01 of {PCM_GUID!r}", "0x03"),
        ],
    )
    def test_a_format_that_is_not_taken(self, body: bytes, offset: int, expected: str, observed: str) -> None:
        assert error_of(stream(chunk(b"fmt ", body))) == PeerViolation(FORMAT, f"offset {offset}", expected, observed)

    def test_the_error_is_one_sentence(self) -> None:
        assert str(error_of(build_header(PcmFormat(16000, channels=2)))) == (
            "offset 22: expected 1 channel, got 2 [translator.audio.format]"
        )

    @given(header=headers, at=st.sampled_from([0, 1, 2, 3, 8, 9, 10, 11]), mask=st.integers(1, 255))
    def test_a_flipped_byte_of_the_magic_is_found_there(self, header: bytes, at: int, mask: int) -> None:
        error = error_of(header[:at] + bytes([header[at] ^ mask]) + header[at + 1 :])
        assert (error.requirement, error.at) == (CONTAINER, f"offset {at}")

    @given(header=headers, at=st.integers(20, 35), mask=st.integers(1, 255))
    def test_a_flipped_byte_of_the_format_is_found_in_its_field(self, header: bytes, at: int, mask: int) -> None:
        flipped = header[:at] + bytes([header[at] ^ mask]) + header[at + 1 :]
        field = max(start for start in (20, 22, 24, 28, 32, 34) if start <= at)
        if field == 24 and 8000 <= int.from_bytes(flipped[24:28], "little") <= 48000:
            field = 28  # the rate is one that is taken, but its bytes per second are not
        error = error_of(flipped)
        assert (error.requirement, error.at) == (FORMAT, f"offset {field}")

    @given(header=headers, at=st.integers(0, 35), mask=st.integers(1, 255), data=st.data())
    def test_an_error_is_the_same_for_every_split(self, header: bytes, at: int, mask: int, data: st.DataObject) -> None:
        flipped = header[:at] + bytes([header[at] ^ mask]) + header[at + 1 :]
        cuts = sorted(data.draw(st.lists(st.integers(0, len(flipped)), max_size=8)))
        parts = [flipped[start:end] for start, end in pairwise((0, *cuts, len(flipped)))]
        assert outcome(parts) == outcome([flipped]) == outcome(flipped[i : i + 1] for i in range(len(flipped)))

    def test_other_rules_name_other_requirements(self) -> None:
        rules = HeaderRules(container="speech.riff", format="speech.pcm")
        with pytest.raises(PeerViolation, match=r"speech\.riff"):
            HeaderReader(rules).feed(b"OggS")
        with pytest.raises(PeerViolation, match=r"speech\.pcm"):
            HeaderReader(rules).feed(build_header(PcmFormat(16000, channels=2)))
        assert HeaderRules(CONTAINER, FORMAT) == STREAM


class TestOtherRules:
    """A dialect may take more than 16-bit mono PCM."""

    RULES = HeaderRules("x.y.container", "x.y.format", codecs=tuple(Codec), channels=range(1, 9), bits=(8, 16))

    def read(self, data: bytes, rules: HeaderRules = RULES) -> RiffHeader:
        answer = HeaderReader(rules).feed(data)
        assert answer is not None
        return answer[0]

    def error(self, body: bytes, rules: HeaderRules = RULES) -> PeerViolation:
        with pytest.raises(PeerViolation) as caught:
            HeaderReader(rules).feed(stream(chunk(b"fmt ", body)))
        return caught.value

    @given(
        codec=st.sampled_from(Codec),
        rate=st.integers(8000, 48000),
        channels=st.integers(1, 8),
        bits=st.sampled_from([8, 16]),
        size=st.sampled_from([16, 18]),
    )
    def test_what_they_allow_is_read(self, codec: Codec, rate: int, channels: int, bits: int, size: int) -> None:
        pcm = PcmFormat(rate, channels, bits if codec is Codec.PCM else 8)
        header = self.read(build_header(pcm, fmt_size=16 if size == 16 else 18, codec=codec))
        assert (header.format, header.codec) == (pcm, codec)

    @pytest.mark.parametrize("bits", [8, 16])
    def test_the_extensible_form_is_pcm(self, bits: int) -> None:
        header = self.read(stream(chunk(b"fmt ", fmt(tag=0xFFFE, channels=2, bits=bits) + extension(valid_bits=bits))))
        assert (header.format, header.codec) == (PcmFormat(16000, 2, bits), Codec.PCM)

    @pytest.mark.parametrize(
        ("body", "offset", "expected", "observed"),
        [
            (fmt(tag=3), 20, "codec 1 (PCM), 6 (A-law) or 7 (mu-law)", "3"),
            (fmt(channels=9), 22, "1 to 8 channels", "9"),
            (fmt(channels=0), 22, "1 to 8 channels", "0"),
            (fmt(bits=24), 34, "8 or 16 bits per sample", "24"),
            (fmt(tag=7, bits=16), 34, "8 bits per sample", "16"),
            (fmt(tag=0xFFFE, bits=8) + extension(valid_bits=16), 38, "8 valid bits per sample", "16"),
        ],
    )
    def test_what_they_do_not_allow_is_refused(self, body: bytes, offset: int, expected: str, observed: str) -> None:
        assert self.error(body) == PeerViolation("x.y.format", f"offset {offset}", expected, observed)

    def test_two_codecs_are_named(self) -> None:
        rules = HeaderRules("x.y.container", "x.y.format", codecs=(Codec.PCM, Codec.MULAW))
        assert self.error(fmt(tag=6), rules).expected == "codec 1 (PCM) or 7 (mu-law)"


class TestBound:
    """The header of a stream takes at most 64 KiB."""

    def test_the_longest_header(self) -> None:
        body = bytes(MAX_HEADER - 44 - 8)
        header, rest = read(build_header(PCM16K, extra_chunks=[(b"LIST", body)]) + b"ab")
        assert (header.length, rest) == (MAX_HEADER, b"ab")

    def test_one_byte_too_many_is_refused_at_the_chunks_size(self) -> None:
        size = MAX_HEADER - 44 - 8 + 1
        header = build_header(PCM16K, extra_chunks=[(b"LIST", bytes(size))])
        assert error_of(header[:44]) == PeerViolation(
            CONTAINER, "offset 40", "a header of at most 65536 bytes", f"a chunk of {size} bytes"
        )

    def test_a_gigantic_chunk_is_refused_before_its_body(self) -> None:
        error = error_of(stream(chunk(b"fmt ", fmt()))[:36] + b"LIST\xff\xff\xff\xff")
        assert (error.requirement, error.at) == (CONTAINER, "offset 40")

    def test_many_small_chunks_come_to_an_end(self) -> None:
        error = error_of(build_header(PCM16K, extra_chunks=[(b"JUNK", b"")] * 9000))
        assert (error.requirement, error.at) == (CONTAINER, f"offset {MAX_HEADER - 8}")


class TestBuild:
    def test_the_riff_size_follows_a_known_data_size(self) -> None:
        extra = [(b"LIST", b"abc")]
        header, _ = read(build_header(PCM16K, data_size=100, extra_chunks=extra))
        assert header.riff_size == header.length - 8 + 100

    def test_the_riff_size_can_be_a_lie(self) -> None:
        assert read(build_header(PCM16K, data_size=100, riff_size=7))[0].riff_size == 7

    def test_formats_that_no_reader_takes_can_be_written(self) -> None:
        assert build_header(PcmFormat(44100, 2, 24))[20:36] == fmt(channels=2, rate=44100, bits=24)

    def test_samples_of_one_byte_are_padded(self) -> None:
        assert build_file(PcmFormat(8000, bits=8), b"abc")[36:] == b"data\3\0\0\0abc\0"
        assert build_file(PcmFormat(8000, bits=8), b"abc")[4:8] == b"\x28\0\0\0"
        assert build_header(PcmFormat(8000, bits=8), data_size=3)[4:8] == b"\x28\0\0\0"

    @pytest.mark.parametrize("size", [-1, 1 << 32])
    def test_a_size_beyond_its_field_is_refused(self, size: int) -> None:
        with pytest.raises(ValueError, match="no RIFF header can say this"):
            build_header(PCM16K, data_size=size)

    def test_a_chunk_id_of_another_length_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no RIFF header can say this"):
            build_header(PCM16K, extra_chunks=[(b"LIS", b"")])

    def test_half_a_sample_makes_no_file(self) -> None:
        with pytest.raises(ValueError, match="3 bytes are no whole samples of 2 bytes"):
            build_file(PCM16K, b"abc")


class TestCompleteFile:
    """A file on its own, as every voice message is, has true sizes."""

    @given(pcm=formats, samples=st.binary(max_size=64).map(lambda raw: raw * 2), size=st.sampled_from([16, 18]))
    def test_what_was_built_is_parsed(self, pcm: PcmFormat, samples: bytes, size: int) -> None:
        whole = build_file(pcm, samples, 16 if size == 16 else 18)
        header, parsed = parse_file(whole)
        assert (header.format, header.riff_size, header.data_size) == (pcm, len(whole) - 8, len(samples))
        assert (header.length, parsed) == (28 + size, samples)

    @given(samples=st.binary(max_size=40).map(lambda raw: raw * 2), trailer=extra, data=st.data())
    def test_every_truncation_is_an_error(
        self, samples: bytes, trailer: list[tuple[bytes, bytes]], data: st.DataObject
    ) -> None:
        tail = b"".join(chunk(name, body) for name, body in trailer)
        length = 44 + len(samples) + len(tail)
        whole = build_header(PCM16K, data_size=len(samples), riff_size=length - 8) + samples + tail
        assert parse_file(whole)[1] == samples
        kept = data.draw(st.integers(0, length - 1))
        error = file_error_of(whole[:kept])
        assert (error.requirement, error.at) == (COMPLETE, f"offset {kept if kept < 44 else 4}")

    def test_chunks_may_follow_the_samples(self) -> None:
        tail = chunk(b"LIST", b"abc")
        whole = build_header(PCM16K, data_size=2, riff_size=36 + 2 + len(tail)) + b"ab" + tail
        assert parse_file(whole)[1] == b"ab"

    def test_a_long_header_is_no_fault_of_a_file(self) -> None:
        extra = [(b"LIST", bytes(2 * MAX_HEADER))]
        assert parse_file(build_header(PCM16K, data_size=2, extra_chunks=extra) + b"ab")[1] == b"ab"

    @pytest.mark.parametrize(
        ("data", "offset", "expected", "observed"),
        [
            (b"", 0, "the rest of the header", "the end of the file"),
            (b"ID3\4", 0, "0x52 of b'RIFF'", "0x49"),
            (build_header(PCM16K) + b"ab", 4, "38 (the bytes that follow)", "0"),
            (build_file(PCM16K, b"ab") + b"ab", 4, "40 (the bytes that follow)", "38"),
            (
                build_header(PCM16K, data_size=4, riff_size=38) + b"ab",
                40,
                "whole samples within the 2 bytes that follow",
                "4 bytes of samples",
            ),
            (
                build_header(PCM16K, data_size=1, riff_size=38) + b"ab",
                40,
                "whole samples within the 2 bytes that follow",
                "1 bytes of samples",
            ),
            (
                build_header(PCM16K, data_size=2, riff_size=41) + b"abcde",
                46,
                "a chunk or the end of the file",
                "3 other bytes",
            ),
            (
                build_header(PCM16K, data_size=0, riff_size=46) + bytes(10),
                44,
                "a chunk or the end of the file",
                "10 other bytes",
            ),
            (
                build_header(PCM16K, data_size=2, riff_size=49) + b"abLIST\3\0\0\0abc",
                50,
                "a chunk, padded to even, within the 3 bytes that follow",
                "one of 3 bytes",
            ),
            (build_file(PcmFormat(16000, channels=2), b"abcd"), 22, "1 channel", "2"),
        ],
    )
    def test_what_is_no_complete_file(self, data: bytes, offset: int, expected: str, observed: str) -> None:
        assert file_error_of(data) == PeerViolation(COMPLETE, f"offset {offset}", expected, observed)

    def test_a_wrong_format_can_be_a_requirement_of_its_own(self) -> None:
        rules = HeaderRules(COMPLETE, "translator.voice.wav-format")
        with pytest.raises(PeerViolation, match=r"offset 22: .*translator\.voice\.wav-format"):
            parse_file(build_file(PcmFormat(16000, channels=2), b"abcd"), rules)


@pytest.mark.real_speech
class TestRecordings:
    def test_recordings_of_real_speech_are_complete_files(self) -> None:
        files = sorted(RECORDINGS.glob("*.wav"))
        if not files:
            pytest.skip(f"no recordings in {RECORDINGS}: real speech is not tested")
        for path in files:
            whole = path.read_bytes()
            header, samples = parse_file(whole)
            assert header.format == PCM16K
            assert build_file(header.format, samples) == whole
