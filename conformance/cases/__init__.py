"""The cases: conversations that the suite holds with a peer in order to see one thing."""
