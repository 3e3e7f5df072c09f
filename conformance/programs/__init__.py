"""Conversations as data: what is said in them, how that is written and played, and what has to come of it."""
