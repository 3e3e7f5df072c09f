from __future__ import annotations

import json
from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import schemas
from protocol.errors import LocalViolation, PeerViolation
from protocol.translator.messages import Final, Partial, Timing, encode, parse

TIMING = Timing(offset_ticks=12_500_000, size_ticks=21_900_000, position_bytes=40_000, size_bytes=70_080)
MEASURE = st.integers(0, 2**63 - 1)
TIMINGS = st.none() | st.builds(Timing, MEASURE, MEASURE, MEASURE, MEASURE)
MAJOR = st.integers(0).map(str)
MINOR = st.tuples(MAJOR, MAJOR).map(".".join)
FINALS = st.builds(Final, id=MAJOR, recognition=st.text(), translation=st.text(), timing=TIMINGS)
PARTIALS = st.builds(Partial, id=MINOR, recognition=st.text(), translation=st.text(), timing=TIMINGS)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["type", "id", "recognition", "audioTimeOffset", "x"]), inner)
    ),
)


def refused(data: bytes) -> tuple[str, str, str, str]:
    with pytest.raises(PeerViolation) as caught:
        parse(data)
    error = caught.value
    str(error).encode()  # a person can read it
    return error.requirement, error.at, error.expected, error.observed


def final(**members: object) -> bytes:
    return json.dumps({"type": "final", "id": "3", "recognition": "a", "translation": "b"} | members).encode()


class TestEncode:
    def test_final_as_real_clients_saw_it(self) -> None:
        assert encode(Final("0", "Hello world", "Hello world")) == (
            b'{"type":"final","id":"0","recognition":"Hello world","translation":"Hello world"}'
        )

    def test_partial_with_timing(self) -> None:
        assert (
            encode(Partial("23.4", "Where", "Où ça", TIMING))
            == (
                '{"type":"partial","id":"23.4","recognition":"Where","translation":"Où ça",'
                '"audioTimeOffset":12500000,"audioTimeSize":21900000,'
                '"audioStreamPosition":40000,"audioSizeBytes":70080}'
            ).encode()
        )

    def test_half_a_surrogate_pair_is_our_own_fault(self) -> None:
        with pytest.raises(LocalViolation) as caught:
            encode(Final("7", "a\udfff", "b"))
        assert caught.value == LocalViolation(
            "translator.result.text-json", "result 7", "text that UTF-8 can say", r'"\udfff"'
        )

    @given(FINALS | PARTIALS)
    def test_is_undone_by_parse(self, message: Partial | Final) -> None:
        assert parse(encode(message)) == message


class TestParse:
    @pytest.mark.parametrize("name", ["final", "partial"])
    def test_gives_a_value_for_every_valid_example(self, name: str) -> None:
        for case in schemas.examples(f"translator/{name}"):
            if case.valid:
                message = parse(json.dumps(case.instance).encode())
                assert type(message).__name__.lower() == name
                assert json.loads(encode(message)).items() <= case.instance.items()

    @pytest.mark.parametrize("name", ["final", "partial"])
    def test_refuses_every_invalid_example(self, name: str) -> None:
        for case in schemas.examples(f"translator/{name}"):
            if not case.valid and not case.name.startswith("type-of"):
                assert refused(json.dumps(case.instance).encode())[0] == case.requirement, case.name

    def test_members_it_does_not_know_are_left_out(self) -> None:
        message = parse(final(confidence=0.5, words=[{"id": 1}]))
        assert message == Final("3", "a", "b")

    def test_order_and_white_space_do_not_matter(self) -> None:
        data = b' \r\n\t{"translation" : "b", "id" : "3", "recognition" : "a", "type" : "final"} \n'
        assert parse(data) == Final("3", "a", "b")

    def test_escaped_and_plain_characters_are_the_same(self) -> None:
        assert parse(final(recognition="é🚉")) == parse(encode(Final("3", "é🚉", "b")))

    def test_is_fast_enough_for_a_busy_server(self) -> None:
        data = encode(Final("23", "recognised " * 8, "tradotto " * 8, TIMING))

        def batch() -> float:
            start = perf_counter()
            for _ in range(100):
                parse(data)
            return (perf_counter() - start) / 100

        # The quickest of many batches: other programs on the machine can only slow one down.
        assert min(batch() for _ in range(20)) < 60e-6

    @given(st.binary() | ANYTHING.map(lambda value: json.dumps(value).encode()))
    @example(b'{"type":"final"}')
    def test_whatever_comes_is_a_result_or_a_violation(self, data: bytes) -> None:
        with suppress(PeerViolation):
            assert isinstance(parse(data), Partial | Final)


class TestType:
    @pytest.mark.parametrize(
        ("members", "observed"),
        [({"type": "Final"}, '"Final"'), ({"type": None}, "null"), ({"type": ["final"]}, "an array of 1")],
    )
    def test_is_one_of_two(self, members: dict[str, object], observed: str) -> None:
        assert refused(final(**members)) == ("translator.result.type", "/type", '"partial" or "final"', observed)

    def test_is_always_there(self) -> None:
        assert refused(b"{}") == ("translator.result.type", "/type", '"partial" or "final"', "nothing")


class TestText:
    @pytest.mark.parametrize(
        ("data", "at", "expected", "observed"),
        [
            (b"", "offset 0", "JSON", '""'),
            (b"hello", "offset 0", "JSON", '"hello"'),
            (b'{type: "final"}', "offset 1", "JSON", r'"type: \"final\"}"'),
            ('{"recognition": "é", }'.encode(), "offset 22", "JSON", '"}"'),
            (b'{"type": "final"', "offset 16", "JSON", '""'),
            (b"{'type': 'final'}", "offset 1", "JSON", "\"'type': 'final'}\""),
            (b'{"recognition": "a\nb"}', "offset 18", "JSON", r'"\nb\"}"'),
            (b"\xef\xbb\xbf{}", "offset 0", "JSON", '"\ufeff{}"'),
            (b'{"type": "\xff"}', "offset 10", "UTF-8", "byte 0xff"),
            ("{}".encode("utf-16"), "offset 0", "UTF-8", "byte 0xff"),
            (b' {"audioTimeOffset": NaN}', "offset 1", "JSON", "the word NaN"),
            (b"[-Infinity]", "offset 0", "JSON", "the word -Infinity"),
            (b"[" * 100_000, "offset 0", "JSON of a bounded depth", "hundreds of nested values"),
            (b'{"type":"final"}}', "offset 16", "JSON", '"}"'),
            (final(translation="\ud83d", recognition="\ud83d"), "/recognition", "text that UTF-8 can say", r'"\ud83d"'),
            (b'{"type":"final","type":"final"}', "/type", "one member of this name", "several"),
        ],
    )
    def test_is_json_in_utf_8(self, data: bytes, at: str, expected: str, observed: str) -> None:
        assert refused(data) == ("translator.result.text-json", at, expected, observed)

    def test_a_member_that_nobody_reads_may_come_twice_and_hold_anything(self) -> None:
        data = final()[:-1] + rb', "x": 1, "x": {"id": 1, "id": 2}, "y": "\ud83d", "n": ' + b"9" * 5000 + b"}"
        assert parse(data) == Final("3", "a", "b")

    @pytest.mark.parametrize(
        ("data", "at", "expected", "observed"),
        [
            (b"[]", "whole value", "an object", "an array of 0"),
            (b'"final"', "whole value", "an object", '"final"'),
            (b"null", "whole value", "an object", "null"),
            (b"{}{}", "offset 2", "the end after one JSON object", "more JSON"),
            ('{"é": 1}\n [] '.encode(), "offset 11", "the end after one JSON object", "more JSON"),
        ],
    )
    def test_is_one_object(self, data: bytes, at: str, expected: str, observed: str) -> None:
        assert refused(data) == ("translator.result.one-object", at, expected, observed)


class TestMeasures:
    @pytest.mark.parametrize("text", ["1.0", "1e3", "1E400", '"1"', "9" * 5000])
    def test_are_written_as_integers(self, text: str) -> None:
        data = final(audioTimeSize=0, audioStreamPosition=0, audioSizeBytes=0)[:-1]
        requirement, at, *_ = refused(data + b', "audioTimeOffset": ' + text.encode() + b"}")
        assert (requirement, at) == ("translator.timing.numbers", "/audioTimeOffset")
