"""Conversations in the speech dialects."""
