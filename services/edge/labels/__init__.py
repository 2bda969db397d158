"""Find the optimal first decision of each scenario, with hindsight over a horizon.

problem (with its exact dynamic programme) → reference (the same problem by OR-Tools) →
training_data.
"""
