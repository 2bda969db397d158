"""Score forecast versions in shadow, and promote or take back the one that drives the planner."""
