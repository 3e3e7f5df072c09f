"""What a peer said, made fit to be shown: a report quotes it, and nothing in it may act on the reader's screen.

Everything here takes any string whatever, also one with lone surrogates.
"""

from __future__ import annotations

import re

from conformance.judge.verdict import Check, Verdict

# C0 and C1 controls, separators that end a line, marks that change the direction of what follows or do not show,
# and surrogates without their partner.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
    "\ud800-\udfff\ufffe\uffff]"
)
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """Return `text` on one line, with what a screen would obey or not show as escapes: `\\n`, `\\x1b`, `\\u202e`.

    What is left is also legal in XML 1.0, as far as single characters go.
    """
    return _HIDDEN.sub(_escape, text)


def shown(text: str, most: int) -> str:
    """Return `text` made printable, `most` characters of it at most, and how many were left out."""
    # Cut first: a megabyte of control characters would be ten of escapes.
    rest = len(text) - most
    return printable(text) if rest <= 0 else f"{printable(text[:most])}… ({rest} characters more)"


def observed(check: Check) -> str:
    """Return what was observed; of a check that was run again with how often it failed, if flaky how gravely."""
    if check.verdict is not Verdict.FLAKY:
        failed, runs = check.rate
        return f"{check.observed} ({failed} of {runs} times)" if check.repeats else check.observed
    return f"failed {check.failed} of {check.count} times, as {check.effective.value}: {check.observed}"


def comparison(check: Check) -> tuple[str, ...]:
    """Return what was expected, if anything was, what was observed, and why it is known; not yet printable."""
    expected = (f"expected: {check.expected}",) if check.expected else ()
    known = (f"known: {check.known}",) if check.known else ()
    return (*expected, f"observed: {observed(check)}", *known)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
