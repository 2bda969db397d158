"""Compute counterfactuals: plans with another decision, and days of another site."""
