"""The command line: a file each command, imported when it is called."""
