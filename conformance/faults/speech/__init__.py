"""The faults of the speech dialects, a file a group of requirements."""
