"""Sources of day-ahead prices: one module per service, and the order of preference."""
