"""Forecasts issued and models trained without anybody asking."""
