"""The simulated home: physics of its devices, names of its sensors, and its files.

Nothing is shared with ``luna.energy.physics``: Luna's battery model is tested against an
independent one.
"""
