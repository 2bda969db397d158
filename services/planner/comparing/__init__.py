"""What a new plan changes, and which of its inputs did it."""
