"""The demo: a recorded year is loaded, trained on, planned, replayed and reported.

Or a simulated home runs live.
"""
