"""The agent's tasks; none yet."""

NEEDS = ("database", "redis", "objects")
