"""The server's side of a connection: its session, its turns, and what they say."""
