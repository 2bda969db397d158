"""Signing in and out, one's password and keys, and the people who may enter."""
