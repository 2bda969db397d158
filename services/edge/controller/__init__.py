"""The learned controller: examples → network (PyTorch) → a version in the registry, and the same controller asked without PyTorch."""

from services.edge.controller.inference import TrainedController
from services.edge.controller.registry import load_controller
from services.edge.controller.stage import train_controllers

__all__ = ["TrainedController", "load_controller", "train_controllers"]
