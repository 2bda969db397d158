"""Other planners on the same cases, each in an environment that is not Luna's own
(``make bench-peers``).
"""
