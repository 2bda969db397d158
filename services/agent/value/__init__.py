"""Antares v1: the planner's value of stored energy, averaged over how forecasts erred, with prices
as the past expects them and a learned correction.
"""
