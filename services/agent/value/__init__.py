"""Antares v1: the planner's value of stored energy with a learned correction.

The value is averaged over past forecast errors, with prices as the past expects them.
"""
