"""Servers that get voices, profanities and closes wrong."""

from __future__ import annotations

from collections.abc import Iterable

from conformance.faults.mutator import with_query
from conformance.faults.registry import fault
from conformance.faults.translator.handshake_faults import refuse
from conformance.faults.translator.mutator import Members, Mutator
from conformance.faults.translator.result_faults import is_final
from protocol.audio import PcmFormat
from protocol.riff import build_file, parse_file
from protocol.wire import Abort, Close, HttpRequest, Message, Outbound

_TONE = bytes(range(0, 200, 2)) * 64


def _is_wav(voice: Message) -> bool:
    return voice.data[:4] == b"RIFF"


@fault(
    "voice.follows-final",
    "dropped",
    implies=("voice.chosen-by-service", "voice.mp3", "voice.before-next-text"),
)
class NoVoice(Mutator):
    """Sends no voice at all."""

    def on_voice(self, voice: Message) -> Iterable[Outbound]:
        """Drop it."""
        return ()


@fault("voice.only-if-requested", "always")
class VoiceForAll(Mutator):
    """Sends a voice behind every final, asked or not."""

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Add a voice."""
        if not is_final(members) or self.wants("TextToSpeech"):
            return (members,)
        return (members, Message.binary(build_file(PcmFormat(16_000), _TONE)))


@fault("voice.never-for-partial", "first-partial")
class VoiceForPartial(Mutator):
    """Speaks the first partial of an utterance, too."""

    def on_result(self, members: Members) -> Iterable[Members | Outbound]:
        """Add a voice behind a partial."""
        if is_final(members) or not self.wants("TextToSpeech") or not members["id"].endswith(".1"):
            return (members,)
        return (members, Message.binary(build_file(PcmFormat(16_000), _TONE)))


@fault("voice.one-message", "a-message-a-frame", implies=("voice.complete-file", "voice.mp3"))
class FramesAsMessages(Mutator):
    """Sends each frame of a voice as a message of its own."""

    def on_voice(self, voice: Message) -> Iterable[Outbound]:
        """Cut the message at its frames."""
        return tuple(Message(voice.kind, (part,)) for part in voice.fragments)


@fault("voice.complete-file", "zero-sizes")
class ZeroSizes(Mutator):
    """Leaves the sizes of a WAV voice at zero, as for a stream."""

    def on_voice(self, voice: Message) -> Iterable[Outbound]:
        """Zero both fields."""
        if not _is_wav(voice):
            return (voice,)
        data = bytearray(voice.data)
        data[4:8] = data[40:44] = bytes(4)
        return (Message.binary(bytes(data), 16_384),)


@fault("voice.wav-format", "8-khz")
class TelephoneVoice(Mutator):
    """Speaks at 8 kHz."""

    def on_voice(self, voice: Message) -> Iterable[Outbound]:
        """Drop every other sample."""
        if not _is_wav(voice):
            return (voice,)
        _, pcm = parse_file(voice.data)
        halved = memoryview(pcm).cast("h")[::2].tobytes()
        return (Message.binary(build_file(PcmFormat(8_000), halved), 16_384),)


@fault("voice.mp3", "wav-instead")
class WavForMp3(Mutator):
    """Knows no MP3 and sends WAV."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Take the format out of the request."""
        return with_query(request, {"format": None}) if self.parameters.get("format") == "audio/mp3" else request


@fault("voice.default-wav", "mp3-instead")
class Mp3ByDefault(Mutator):
    """Sends MP3 unless WAV is asked for."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Add the format to a request without one."""
        default = self.wants("TextToSpeech") and not self.parameters.get("format")
        return with_query(request, {"format": "audio/mp3"}) if self.for_speech and default else request


@fault("voice.chosen-by-service", "refused")
class WantsVoice(Mutator):
    """Refuses TextToSpeech without a voice."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Refuse the request."""
        lacks = self.wants("TextToSpeech") and not self.parameters.get("voice")
        return refuse(request) if self.for_speech and lacks else request


@fault("voice.audible", "silent")
class SilentVoice(Mutator):
    """Sends a voice that is silence."""

    def on_voice(self, voice: Message) -> Iterable[Outbound]:
        """Replace the samples of a WAV voice by zeros."""
        if not _is_wav(voice):
            return (voice,)
        header, pcm = parse_file(voice.data)
        return (Message.binary(build_file(header.format, bytes(len(pcm))), 16_384),)


@fault("voice.before-next-text", "next-partial-first")
class NextTextFirst(Mutator):
    """Sends the first partial of the next utterance before the voice of the last one."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Add a partial behind a final that is to be spoken, in sessions without times."""
        due = is_final(members) and members["translation"] and self.wants("TextToSpeech") and self.wants("Partial")
        if not due or self.wants("TimingInfo"):
            return (members,)
        return (members, {**members, "type": "partial", "id": f"{int(members['id']) + 1}.0"})


@fault("profanity.default-marked", "no-action")
class UntreatedByDefault(Mutator):
    """Leaves profanities alone unless told otherwise."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Add NoAction to a request that says nothing."""
        if not self.for_speech or self.parameters.get("profanityaction"):
            return request
        return with_query(request, {"ProfanityAction": "NoAction"})


@fault("profanity.asterisk", "four", implies=("profanity.default-marked", "profanity.scope"), asterisks="****")
class FourAsterisks(Mutator):
    """Marks a profanity with four asterisks."""


@fault("profanity.tag", "other-element", tag="profane")
class OtherTag(Mutator):
    """Puts a profanity into another element."""


@fault("profanity.deleted", "asterisks")
class MarksInsteadOfDeleting(Mutator):
    """Marks where it should delete."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Replace the action."""
        deletes = self.parameters.get("profanityaction") == "Deleted" and not self.parameters.get("profanitymarker")
        return with_query(request, {"ProfanityAction": "Marked"}) if deletes else request


@fault("close.reason", "empty", implies=("audio.format",))
class NoReason(Mutator):
    """Closes without a reason."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Empty the reason."""
        return (Close(close.code, ""),)


@fault("close.listed-code", "1008", implies=("audio.text-message",))
class UnlistedCode(Mutator):
    """Closes text messages with 1008."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Change 1003 for text messages alone."""
        return (Close(1008, close.reason),) if "text" in close.reason else (close,)


@fault("session.framing", "abrupt", implies=("audio.header-first", "audio.format", "audio.text-message"))
class Abrupt(Mutator):
    """Ends the connection where it should close it."""

    def on_close(self, close: Close) -> Iterable[Outbound]:
        """Drop the connection."""
        return (Abort(),)


@fault("profanity.no-action", "marked")
class MarksAnyway(Mutator):
    """Marks profanities that it was told to leave alone."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Ask for the treatment."""
        plain = self.parameters.get("profanityaction") == "NoAction" and "profanitymarker" not in self.parameters
        return with_query(request, {"ProfanityAction": "Marked"}) if plain else request


@fault("profanity.marker-ignored", "marks")
class MarkerDecides(Mutator):
    """Marks profanities wherever a marker is given."""

    def on_request(self, request: HttpRequest) -> HttpRequest:
        """Ask for the treatment."""
        given = self.parameters.get("profanitymarker") and self.parameters.get("profanityaction") != "Marked"
        return with_query(request, {"ProfanityAction": "Marked"}) if given else request


@fault("profanity.scope", "recognition-only")
class TranslatesBlanks(Mutator):
    """Marks profanities in the recognition, and leaves them out of the translation."""

    def on_result(self, members: Members) -> Iterable[Members]:
        """Drop the marks."""
        return ({**members, "translation": members["translation"].replace("***", "").strip() or "…"},)
