"""Find what is wrong with an installation, and what to do.

It looks from outside of all services, so that it works where they do not.
"""
