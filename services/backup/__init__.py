"""Backup and restore: base backups, the write-ahead log as it is written, objects and settings,
encrypted in one folder.
"""
