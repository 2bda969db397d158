"""Vehicles in a plan: their stays, rows in a model, what may charge them, and what a plan makes of them."""
