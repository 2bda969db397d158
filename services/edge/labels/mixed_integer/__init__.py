"""A program: the problem as a mixed-integer model for OR-Tools, which may not be loaded beside the
planner's solver.
"""
