"""Executes capabilities in this machine's own Luna, or by a remote gateway."""
