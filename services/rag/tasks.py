"""The knowledge service's tasks; none yet."""

NEEDS = ("database", "redis", "objects", "vectors", "language")
