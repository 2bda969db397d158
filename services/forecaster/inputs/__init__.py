"""Inputs of a forecast, as known at its issue."""
