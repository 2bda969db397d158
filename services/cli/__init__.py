"""The command line: the capabilities of all services from a terminal."""
