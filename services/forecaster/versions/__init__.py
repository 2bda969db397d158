"""Which version drives the planner: judged in shadow, promoted, taken back."""
