"""Whether a process lives, and whether all it needs is there."""
