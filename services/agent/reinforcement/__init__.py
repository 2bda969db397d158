"""Reinforcement learning by proximal policy optimisation.

It trains over many sites and days at once; policies follow the resulting network.
"""
