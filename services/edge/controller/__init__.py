"""The learned controller: examples → network (PyTorch) → a version in the registry, and the same
controller asked without PyTorch.
"""
