"""Where Hypothesis takes its choices from: from the seed, and from nothing else.

Its own provider now and then picks a number or a word that stands in the source of some module that happens to be
imported. The same seed would then draw other conversations in another command, or on another day.
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

BACKEND: Final = "speechwire"
"""The name of the provider, as `settings(backend=…)` knows it."""


class SeededProvider(HypothesisProvider):
    """Draws as Hypothesis does, without constants of other people's modules."""

    def _maybe_draw_constant(self, *_: Any, **__: Any) -> None:
        """Draw none."""


AVAILABLE_PROVIDERS[BACKEND] = f"{__name__}.{SeededProvider.__name__}"
