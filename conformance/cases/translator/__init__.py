"""The cases of `translator`, a file a group of requirements."""
