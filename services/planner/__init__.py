"""The planner: value of stored energy, mixed-integer model, replay."""
