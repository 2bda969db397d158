"""Optimal first decisions of scenarios: which model, and whether to charge, with hindsight over a
horizon.

problem → kernels (dynamic programme, exact and quick) and reference (OR-Tools, the same problem) →
training_data.
"""
