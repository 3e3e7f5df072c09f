"""What all tests share: how Hypothesis draws. A slow machine fails nothing, and a build repeats the same examples."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("speechwire", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("speechwire")
