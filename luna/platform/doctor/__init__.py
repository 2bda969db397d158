"""What is wrong with an installation, and what to do: looked at from outside of all services, so
that it works where they do not.
"""
