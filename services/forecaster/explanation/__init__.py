"""Explain a forecast: the reasons it differs from the usual."""
