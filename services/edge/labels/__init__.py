"""Optimal first decisions of scenarios, with hindsight over a horizon.

They are a model, and whether to charge.

problem → kernels (dynamic programme, exact and quick) and reference (OR-Tools, the same problem) →
training_data.
"""
