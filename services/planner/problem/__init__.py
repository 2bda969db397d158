"""Describe the problem that a plan solves: request, site and outlook as arrays."""
