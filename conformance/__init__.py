"""The judge of real-time speech translation, and everything that feeds it."""
