"""How every judge reads a transcript: frames put together, the handshake and the end at their entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.judge.reading import BaseView, Seen, assemble
from conformance.transcript import CloseFrame, Expired
from protocol.wire import Kind, Party

if TYPE_CHECKING:
    from tests.unit.conftest import Talk


def view(talk: Talk) -> BaseView:
    return BaseView(talk.transcript())


class TestMessages:
    def test_of_one_frame(self, talk: Talk) -> None:
        talk.open().header().replies("hi")
        assert assemble(talk.transcript(), Party.SERVER) == (
            Seen(3, 3, 10.3, 10.3, Kind.TEXT, b"hi", complete=True, deliberate=None),
        )

    def test_of_several_frames_with_others_in_between(self, talk: Talk) -> None:
        talk.replies(b"a", first=True, final=False).sends(b"x").replies(b"b", first=False, final=False)
        talk.sends(b"y").replies(b"c", first=False, final=True)
        transcript = talk.transcript()
        assert assemble(transcript, Party.SERVER) == (
            Seen(0, 4, 10.0, 10.4, Kind.BINARY, b"abc", complete=True, deliberate=None),
        )
        assert [message.data for message in assemble(transcript, Party.CLIENT)] == [b"x", b"y"]

    def test_that_never_end_are_incomplete(self, talk: Talk) -> None:
        talk.replies("whole").replies(b"ha", final=False)
        whole, half = assemble(talk.transcript(), Party.SERVER)
        assert (whole.complete, half.complete) == (True, False)
        assert (half.first, half.last, half.data) == (1, 1, b"ha")

    def test_that_are_never_ended_make_way_for_the_next(self, talk: Talk) -> None:
        talk.replies(b"lost", final=False).replies(b"found")
        assert [message.data for message in assemble(talk.transcript(), Party.SERVER)] == [b"found"]

    def test_keep_the_purpose_of_any_of_their_frames(self, talk: Talk) -> None:
        name = "translator.client.binary-only"
        talk.sends(b"a", final=False).sends(b"b", first=False, deliberate=name).sends(b"c")
        assert [message.deliberate for message in assemble(talk.transcript(), Party.CLIENT)] == [name, None]

    def test_are_sorted_by_party(self, talk: Talk) -> None:
        found = view(talk.sends(b"ask").replies("tell"))
        assert [message.data for message in found.from_client] == [b"ask"]
        assert [message.data for message in found.from_server] == [b"tell"]


class TestHandshake:
    def test_is_found_with_its_entries(self, talk: Talk) -> None:
        found = view(talk.barrier().open("Partial"))
        assert found.asked is not None
        assert found.answered is not None
        assert (found.asked[0], found.answered[0]) == (1, 2)
        assert found.request is not None
        assert found.request.method == "GET"
        assert found.response is not None
        assert found.opened

    def test_may_be_missing(self, talk: Talk) -> None:
        found = view(talk)
        assert (found.asked, found.answered, found.request, found.response) == (None, None, None, None)
        assert not found.opened

    def test_may_have_failed(self, talk: Talk) -> None:
        assert not view(talk.ask().answer(400)).opened


class TestEnds:
    def test_a_close_is_found_by_its_sender_the_first_of_each(self, talk: Talk) -> None:
        found = view(talk.client_closes(1000).server_closes(1001).server_closes(1002))
        assert found.close_of(Party.CLIENT) == (0, CloseFrame(10.0, Party.CLIENT, 1000, ""))
        assert found.close_of(Party.SERVER) == (1, CloseFrame(10.1, Party.SERVER, 1001, ""))

    def test_there_may_be_none(self, talk: Talk) -> None:
        assert view(talk.ended()).close_of(Party.CLIENT) is None

    def test_a_wait_in_vain_is_found_by_a_word_of_its_name(self, talk: Talk) -> None:
        found = view(talk.expired("final 2 of the session", 8.0).expired("voice 1 of the session"))
        assert found.expired("voice") == (1, Expired(10.1, "voice 1 of the session", 2.0))
        assert found.expired("session") == (0, Expired(10.0, "final 2 of the session", 8.0))
        assert found.expired("close frame") is None
        assert BaseView(talk.transcript()).transcript == talk.transcript()
