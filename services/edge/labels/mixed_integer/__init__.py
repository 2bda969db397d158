"""A program that solves labels by OR-Tools, apart from the planner's solver."""
