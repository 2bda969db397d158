"""Home Assistant as a source.

Its recorder's states, the statistics of the time before, and its sensors' present values.
"""
