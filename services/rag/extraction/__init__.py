"""Files become text with structure: read in a confined child process, cut into passages, fetched
from public addresses.
"""
