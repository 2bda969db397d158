"""What is the matter with the input, and how much wider a forecast becomes by it."""
