"""Learners of modes, from hindsight and from the stochastic programme.

Trees and a small network learn from hindsight, corrected on the states that they reach themselves.
"""
