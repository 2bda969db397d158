"""A home that does not exist: how its devices behave, what its sensors are called, and where its files lie.

Nothing here is taken from ``luna.energy.physics``: what Luna believes of a battery is judged by a battery that was written apart.
"""
