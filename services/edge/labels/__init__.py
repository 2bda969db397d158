"""Optimal first decisions of scenarios: which model, and whether to charge, with hindsight over a horizon.

problem → dynamic_programme (exact, quick) and reference (OR-Tools, the same problem) → training_data.
"""

from services.edge.labels.training_data import write_training_data

__all__ = ["write_training_data"]
