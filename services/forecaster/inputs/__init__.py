"""Inputs that a forecast may know at its issue, and a series seen from there."""
