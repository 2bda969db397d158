"""Tells owners what they should know: on the phone, by mail, through Home Assistant. Each event once, and nothing that acts waits for it."""
