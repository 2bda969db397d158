"""Reinforcement learning: proximal policy optimisation over many sites and days at once, and what
follows the network that comes of it.
"""
