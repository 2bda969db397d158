"""A program with the problem as a mixed-integer model for OR-Tools.

OR-Tools may not be loaded beside the planner's solver.
"""
