"""The protocol of real-time speech translation as code: formats, order and sessions, without I/O.

Nothing below this package opens a socket, reads a clock or draws a random number: events come in with their
time, events go out.
"""
