"""What can be asked of Luna, each declared once: its route, its command and its call over HTTP are
made of the declaration.

Each module ends in the list of its capabilities; ``registry`` lists those of all modules. A command
that needs one module loads no other.
"""
