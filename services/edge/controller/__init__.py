"""The learned controller: trained by PyTorch, stored in the registry, run without PyTorch."""
