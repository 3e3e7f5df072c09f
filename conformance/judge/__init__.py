"""The judge: a pure function from transcripts to findings. It knows no session and no server."""
