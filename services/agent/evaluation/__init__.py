"""Evaluation of the agent on unseen days: scores, comparisons, pictures."""
