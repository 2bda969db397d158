"""The ingest service's tasks: decode, call, encode."""

NEEDS = ("database", "redis", "objects")
