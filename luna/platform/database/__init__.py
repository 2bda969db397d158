"""All SQL of the platform: one module per noun, values in and values out.

Every function takes a connection whose transaction belongs to the caller (``engine.unit_of_work``).
A site's id is its name.
"""
