"""Notifications to owners over Apprise (phone, mail) and Home Assistant: each event once, and no
control waits for them.
"""
