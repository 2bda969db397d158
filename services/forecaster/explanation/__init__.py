"""Explanations of forecasts."""
