"""Where transcripts come from: an active check of a server, an active check of a client."""
