"""The energy domain: pure functions and models.

No I/O, no clock; NumPy, Pydantic and the standard library, nothing else.
"""
