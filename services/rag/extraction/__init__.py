"""Fetch files, read them in a confined child process, and cut their text into passages."""
