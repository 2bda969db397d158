"""Recommendations of readings and actions.

Items, the bandit that ranks them, and learning from readers' reactions.
"""
