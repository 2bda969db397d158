"""The mixed-integer model: rows and columns, ways, the solver."""
