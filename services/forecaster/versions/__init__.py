"""Choose the version that drives the planner: judged in shadow, promoted, taken back."""
