"""How often one client may connect again: a bound for clients that retry without a pause."""

from __future__ import annotations

from collections import OrderedDict, deque

_CLIENTS = 10_000  # those that came last are remembered


class Reconnects:
    """Counts the connections of each client within a window of time. Memory is bounded, whoever comes.

    Args:
        most: How many connections of one client are let in within a window.
        window_s: Its length in seconds.
    """

    def __init__(self, most: int, window_s: float) -> None:
        self._most = most
        self._window_s = window_s
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def allow(self, client: str, time: float) -> bool:
        """Tell whether a connection at `time`, in seconds, may be let in, and count it if it may."""
        times = self._times.setdefault(client, deque())
        self._times.move_to_end(client)
        if len(self._times) > _CLIENTS:
            self._times.popitem(last=False)
        while times and times[0] <= time - self._window_s:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(time)
        return True
