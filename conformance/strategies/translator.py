"""Sessions of `translator`, walked from the order table: legal ones, and such with one mistake."""

from __future__ import annotations

from functools import cache
from typing import Final

from hypothesis import strategies as st

from conformance.programs.forms import REQUESTS
from conformance.programs.mistakes import MISTAKES
from conformance.programs.program import (
    AWAIT,
    NOISE,
    PAUSE,
    PING,
    SILENCE,
    SPEECH,
    VOICE,
    Program,
    Step,
    Talk,
)
from conformance.strategies.drawing import (
    LONGEST,
    MILLISECONDS,
    PAUSES,
    STOP,
    TEN,
    Able,
    below,
    choices,
    formed,
    numbers,
    one_of,
    together,
)
from protocol.order import Conversation
from protocol.translator.order import AUDIO, CLOSE, FINAL, HEADER, START, STREAMING, TABLE
from protocol.wire import Party

CLIENT = Party.CLIENT

_SHAPES: Final = ("one",) * 10 + ("two",) * 5 + ("three",) + ("wrong",) * 2 + ("wrong beside",) * 3
_ASKS: Final = (
    (),
    ("partial",),
    ("timing",),
    (VOICE,),
    ("partial", "timing"),
    ("timing", "partial"),
    (VOICE, "partial", "timing"),
)
_ENDS_MS: Final = 2600  # of silence behind what is said
_REQUEST: Final = st.sampled_from([""] * 12 + list(REQUESTS["translator"]))
_SOUNDS: Final = st.sampled_from([SILENCE, SILENCE, NOISE, SILENCE, NOISE, SPEECH])


@cache
def conversations(dialect: str, able: Able) -> st.SearchStrategy[Program]:
    """Return a strategy for programs of the dialect."""
    return together(dialect, _SHAPES, lambda draw, number, steps: _Walk(draw, able, number, steps))


class _Walk:
    """One session that is being drawn: the client's way through the order table."""

    def __init__(self, draw: st.DrawFn, able: Able, number: int, steps: list[Step]) -> None:
        self.number = number
        self._steps = steps
        self._draw = draw
        self._able = able
        self._order = Conversation(TABLE, None)
        asks = tuple(words for words in _ASKS if not able.without & set(words) and (able.voice or VOICE not in words))
        form = draw(_REQUEST)
        if form == "words" and len(asks) == 1:
            form = ""
        self.talk = Talk(draw(one_of(asks)), form, numbers(draw, form))
        self._said = self._heard = 0
        self._drawn = 0
        self._erred = False

    def on(self) -> bool:
        """Draw what comes next; False when nothing does."""
        self._drawn += 1
        if self._drawn > LONGEST:
            return False
        word, form = self._draw(_words(self._order.state(CLIENT)))
        if word == STOP:
            return False
        if word == PING:
            self._add(PING)
        elif word == PAUSE:
            self._add(PAUSE, count=self._draw(PAUSES))
        elif word == AUDIO:
            self._sound(form)
        else:
            self._order.step(CLIENT, word)
            self._add(word, form=form)
        return True

    def _add(self, does: str, what: str = "", count: int = 0, form: str = "") -> None:
        self._steps.append(formed(self._draw, Step(self.number, does, 0, what, count), form))

    def _sound(self, form: str) -> None:
        self._order.step(CLIENT, AUDIO)
        what = self._draw(_SOUNDS)
        if what != SPEECH or not self._able.utterances:
            what = NOISE if what == NOISE else SILENCE
            self._add(AUDIO, what, self._draw(MILLISECONDS), form)
            return
        self._said += 1
        self._add(AUDIO, SPEECH, self._draw(below(self._able.utterances)), form)
        self._add(AUDIO, SILENCE, _ENDS_MS)
        if self._draw(TEN) < 8:
            self._hear()

    def _hear(self) -> None:
        """Wait for all finals that are due, and their voices."""
        self._heard = self._said
        self._add(AWAIT, FINAL, self._said)
        if VOICE in self.talk.asks:
            self._add(AWAIT, VOICE, self._said)

    def finish(self) -> None:
        """Wait for what is due, or hang up."""
        if self._heard < self._said and not self._erred and self._draw(TEN) < 8:
            self._hear()
        if self._draw(TEN) >= 5:
            self._add(CLOSE)

    def err(self) -> None:
        """Draw a mistake that can be made now, and make it."""
        self._erred = True
        name, word = self._draw(one_of(_mistakes(self._order.state(CLIENT))))
        what, count = (SILENCE, 100) if word == AUDIO else ("", 0)
        at = (self._draw(below(201)),)
        self._steps.append(Step(self.number, word, 0, what, count, at=at, wrong=name))


@cache
def _words(state: str) -> st.SearchStrategy[tuple[str, str]]:
    """Return a strategy for what a client may do next in a state, and in which form; to stop is the simplest."""
    words = {word: 4 for word in TABLE.legal(CLIENT, state) if word != CLOSE}
    if state == STREAMING:
        words |= {PING: 1, PAUSE: 1}
    stops = 1 if state == START else 20
    return st.sampled_from([(STOP, "")] * stops + choices("translator", words))


@cache
def _mistakes(state: str) -> tuple[tuple[str, str], ...]:
    """Return the mistakes that can be made in a state, with the step that is made wrong."""
    words = (HEADER,) if state == START else (AUDIO,)
    return tuple((name, word) for name, found in MISTAKES["translator"].items() for word in found.on if word in words)
