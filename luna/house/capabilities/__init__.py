"""Declare each thing that can be asked of Luna once.

The route, the command and its call over HTTP are made from the declaration.

Each module ends in the list of its capabilities; ``registry`` lists those of all modules. A command
that needs one module loads no other.
"""
