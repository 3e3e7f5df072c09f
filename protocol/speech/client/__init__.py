"""The client's side: its session, its connections, and what it keeps to say again."""
