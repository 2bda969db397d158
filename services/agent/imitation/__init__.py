"""Learners of modes, taught by hindsight or by the stochastic programme."""
