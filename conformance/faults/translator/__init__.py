"""The faults of `translator`, a file a group of requirements."""
