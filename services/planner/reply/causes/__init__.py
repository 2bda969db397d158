"""Why a battery does what it does in a slot: causes by what it does, in order of precedence.

``declaration.py`` says what a cause is, ``precedence.py`` in which order they are tried.
"""
