"""Spool rows in a local file in front of the database.

They are safe there at once, and reach the database when that answers.
"""
