"""Vehicles in a plan: their stays, rows in a model, what may charge them, and what a plan makes of them."""

from services.planner.devices.vehicle.planned import PLANNED

__all__ = ["PLANNED"]
