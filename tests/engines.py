"""Which engine packages a test needs, and services of parts in processes of their own."""

from __future__ import annotations

import contextlib
from importlib.util import find_spec
from types import ModuleType

import pytest

from reference_server.engines.local.worker import Child


def needs(*packages: str) -> pytest.MarkDecorator:
    """Return a mark that skips, and says why, where one of the packages is not installed."""
    lacking = [package for package in packages if find_spec(package) is None]
    return pytest.mark.skipif(bool(lacking), reason=f"not installed: {', '.join(lacking)}; `make install` fetches them")


def service_of(part: ModuleType) -> contextlib.closing[Child]:
    """Return what runs a part's service as the server does: a licence, and a crash, reach no further than that."""
    return contextlib.closing(Child(f"{part.__name__}:Service", {}))
