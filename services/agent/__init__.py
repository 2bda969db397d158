"""Antares, the agent that learns to beat the planner.

Its domain is still to come; its worker, health and queue are here.
"""
