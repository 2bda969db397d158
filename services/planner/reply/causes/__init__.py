"""Causes of what a battery does in a slot.

``declaration.py`` says what a cause is, ``precedence.py`` in which order they are tried.
"""
