"""Turn files into text with structure.

They are read in a confined child process, cut into passages, fetched from public addresses.
"""
