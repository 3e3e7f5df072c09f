"""Faults: peers that break exactly one requirement, to prove that the suite sees it."""
