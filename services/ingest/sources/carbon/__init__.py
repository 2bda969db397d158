"""Sources of the grid's carbon intensity: one module per service, and the order of preference."""
