"""Proximal policy optimisation over many sites and days at once, and use of its network."""
