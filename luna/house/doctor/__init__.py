"""Find what is wrong with an installation, and what to do.

It runs outside of all services, so that it works even if they do not.
"""
