"""Notify owners over Apprise (phone, mail) and Home Assistant.

Each event is sent once, and no control waits for notifications.
"""
