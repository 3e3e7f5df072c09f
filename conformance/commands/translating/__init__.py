"""The shells of the reference clients, one of each dialect, and what they share."""
