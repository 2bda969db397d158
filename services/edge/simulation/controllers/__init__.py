"""Controllers of cameras.

Naive ones, a rule, an oracle that knows the whole run, and learned ones behind a guard.
"""
