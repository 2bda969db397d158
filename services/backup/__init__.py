"""Backup and restore.

They cover base backups, the write-ahead log as it is written, objects and settings, encrypted in
one folder.
"""
