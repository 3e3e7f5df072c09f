"""Conversations in the speech dialects, walked from the order table: legal ones, and such with one mistake."""

from __future__ import annotations

from functools import cache
from typing import Final

from hypothesis import strategies as st

from conformance.programs.forms import REQUESTS
from conformance.programs.mistakes import MISTAKES
from conformance.programs.program import (
    AWAIT,
    CLOSE,
    FINAL,
    LATE,
    NOISE,
    PAUSE,
    PING,
    SILENCE,
    SPEECH,
    TURN_END,
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
from protocol import requirements
from protocol.order import Conversation
from protocol.speech.order import (
    AUDIO,
    COMMIT,
    CONFIG,
    CONFIGURED,
    CONTEXT,
    END,
    ENDED,
    EVENT,
    FRESH,
    HEADER,
    OTHER,
    READY,
    STREAMING,
    TABLES,
    TURN_START,
)
from protocol.wire import Party

CLIENT, SERVER = Party.CLIENT, Party.SERVER

_TURNS: Final = "turns"
_MOST_SILENT_MS: Final = 2500  # behind so much silence a one-shot turn may be over before something is said
_TURN_COUNTS: Final = st.sampled_from([2, 2, 3, 2, 3, 4, 2, 3, 5, 2, 9, 10])
_WEIGHTS: Final = {HEADER: 6, AUDIO: 8, END: 4}
_BEGINS: Final = 6  # contexts, where no turn is open that they would abandon
_SHAPES: Final = ("one",) * 10 + ("two",) * 5 + ("three",) + ("wrong",) * 3 + ("wrong beside",) * 3
_ASKS: Final = (("interactive",), ("conversation",), ("dictation",), ("conversation", VOICE), ("interactive", VOICE))
_REQUEST: Final = st.sampled_from([""] * 12 + list(REQUESTS["speech"]))
_SOUNDS: Final = st.sampled_from([SILENCE, SILENCE, NOISE, SPEECH])
_OTHERS: Final = st.sampled_from(["text", "binary"])


@cache
def conversations(dialect: str, able: Able) -> st.SearchStrategy[Program]:
    """Return a strategy for programs of a dialect."""
    return together(dialect, _SHAPES, lambda draw, number, steps: _Walk(draw, dialect, able, number, steps))


class _Walk:
    """One connection that is being drawn: the client's way through the order table, and the turns that it holds."""

    def __init__(self, draw: st.DrawFn, dialect: str, able: Able, number: int, steps: list[Step]) -> None:
        self.number = number
        self._steps = steps
        self._draw = draw
        self._dialect = dialect
        self._able = able
        self._order = Conversation(TABLES[dialect], None)
        asks = tuple(words for words in _ASKS if able.voice or VOICE not in words)
        form = draw(_REQUEST)
        self.talk = Talk(draw(one_of(asks)), form, numbers(draw, form))
        self._turn = -1
        self._over: list[int] = []
        self._said = 0
        self._silent_ms = 0
        self._drawn = 0
        self._erred = False

    @property
    def _state(self) -> str:
        return self._order.state(CLIENT)

    def on(self) -> bool:
        """Draw what comes next; False when nothing does."""
        self._drawn += 1
        if self._drawn > LONGEST:
            return False
        word, form = self._draw(_words(self._dialect, self._state, self._able))
        if word == STOP:
            return False
        if word == _TURNS:
            for _ in range(self._draw(_TURN_COUNTS) if not self._over else 0):
                self._short_turn()
        elif word == PING:
            self._add(PING)
        elif word == PAUSE:
            self._add(PAUSE, count=self._draw(PAUSES))
        elif word == LATE:
            if self._over:
                self._steps.append(Step(self.number, LATE, self._draw(one_of(tuple(self._over))), count=100))
        else:
            self._say(word, form)
        return True

    def _add(self, does: str, what: str = "", count: int = 0, form: str = "") -> None:
        step = Step(self.number, does, max(0, self._turn), what, count)
        self._steps.append(formed(self._draw, step, form))

    def _say(self, word: str, form: str = "", *, plain: bool = False) -> None:
        """Take a step of the table."""
        opens = word == CONTEXT or (word == HEADER and self._state == CONFIGURED)
        first = self._state == FRESH
        self._order.step(CLIENT, word)
        if opens:
            self._turn, self._said, self._silent_ms = self._turn + 1, 0, 0
        what, count = "", 0
        if word == COMMIT:
            self._silent_ms = _MOST_SILENT_MS  # a turn of one utterance may be over with what it forces
        if word == AUDIO:
            what, count = self._sound(plain)
        elif word == CONFIG and not first:
            what = "again"
        elif word == OTHER:
            what = self._draw(_OTHERS)
        elif word == EVENT:
            what = self._draw(one_of(self._events()))
        if what == "finished":
            self._steps.append(Step(self.number, EVENT, self._draw(one_of(tuple(self._over))), what))
        else:
            self._add(word, what, count, form)
        if word == END:
            self._silent_ms = _MOST_SILENT_MS  # what is said behind it may come when the turn is over
            if self._draw(TEN) < 9:
                self._await_end()

    def _events(self) -> tuple[str, ...]:
        is_open = self._state in (READY, STREAMING, ENDED)
        return ("", *(["open"] if is_open else []), *(["finished"] if self._over else []))

    def _sound(self, plain: bool) -> tuple[str, int]:
        what = SILENCE if plain else self._draw(_SOUNDS)
        if what == SPEECH:
            if self._able.utterances and self._silent_ms < _MOST_SILENT_MS:
                self._said += 1
                return SPEECH, self._draw(below(self._able.utterances))
            what = SILENCE
        count = 100 if plain else self._draw(MILLISECONDS)
        self._silent_ms += count
        return what, count

    def _await_end(self) -> None:
        """Wait for what is due of the turn that is open, whose stream has ended."""
        if self._said:
            self._add(AWAIT, FINAL, 1)
        self._add(AWAIT, TURN_END, 1)
        self._order.step(SERVER, TURN_START)
        self._order.step(SERVER, "turn.end")
        self._over.append(self._turn)

    def _short_turn(self) -> None:
        for word in (CONTEXT, HEADER, AUDIO):
            self._say(word, plain=True)
        self._end()

    def _end(self) -> None:
        self._order.step(CLIENT, END)
        self._add(END)
        self._await_end()

    def finish(self) -> None:
        """Bring to its end what has been begun, or hang up in the middle of it."""
        if self._erred:
            if self._state == STREAMING:
                self._add(END)
                self._add(AWAIT, TURN_END, 1)
        elif self._state == ENDED:
            self._await_end()
        elif self._state == STREAMING and self._draw(TEN) < 8:
            self._end()
        if self._draw(TEN) >= 5:
            self._add(CLOSE)

    def err(self) -> None:
        """Draw a mistake that can be made now, and make it."""
        self._erred = True
        found = _mistakes(self._dialect, self._state, self._turn, bool(self._over), self._able)
        name, word = self._draw(one_of(found))
        turn = max(0, self._turn)
        if name == "reused-id" or word == CONTEXT:
            turn = self._turn + 1
        what = "open" if word == EVENT and self._turn >= 0 else SILENCE if word == AUDIO else ""
        at = (self._draw(below(201)),)
        self._steps.append(Step(self.number, word, turn, what, 100 if word == AUDIO else 0, at=at, wrong=name))
        if word == HEADER:
            self._order.step(CLIENT, HEADER)


@cache
def _words(dialect: str, state: str, able: Able) -> st.SearchStrategy[tuple[str, str]]:
    """Return a strategy for what a client may do next in a state, and in which form; to stop is the simplest.

    It depends on the state alone: what was drawn has to mean the same when something before it is taken away. What
    cannot be done, since no turn is over, is nothing then.
    """
    legal = TABLES[dialect].legal(CLIENT, state)
    words = {word: _WEIGHTS.get(word, 1) for word in legal if word != CLOSE and word not in able.without}
    if state == CONFIGURED:
        words[CONTEXT] = _BEGINS
        words[_TURNS] = 1
    if state != FRESH:
        words |= {PING: 1, PAUSE: 1, LATE: 1}
    stops = 1 if state == FRESH else 26
    return st.sampled_from([(STOP, "")] * stops + choices("speech", words))


@cache
def _mistakes(dialect: str, state: str, turn: int, over: bool, able: Able) -> tuple[tuple[str, str], ...]:
    """Return the mistakes that can be made in a state, with the step that is made wrong."""
    rows = requirements.load(dialect)
    places = {
        "unconfigured": state == FRESH,
        "no-context": state == CONFIGURED and turn < 0,
        "reused-id": state == CONFIGURED and over,
    }
    found: list[tuple[str, str]] = []
    for name, mistake in MISTAKES["speech"].items():
        if f"speech.{mistake.requirement}" not in rows:
            continue
        for word in (word for word in mistake.on if word not in able.without):
            if name in places:
                fits = places[name]
            else:
                fits = bool(TABLES[dialect].edge(CLIENT, state, word)) and (word != HEADER or state == READY)
                fits = fits and not (word == CONFIG and state == FRESH and name != "no-object")
            if fits:
                found.append((name, word))
    return tuple(found)
