"""Intake of readings, prices and documents: sources, validation, recording."""
