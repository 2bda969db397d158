"""Plans and replays of stored sites: read, compute, store."""
