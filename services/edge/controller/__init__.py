"""The learned controller: examples, network (PyTorch), versions in the registry.

Its decisions need no PyTorch.
"""
