"""The suite's own ends of a connection: how it reaches a peer, talks to it and records what it sees."""
