"""A stand-in for the model of components, until it is in the tree; then this file goes."""

import sys
from datetime import date
from importlib.util import find_spec
from types import ModuleType
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from luna.energy.clock_window import ClockWindow
from luna.energy.part import Part


class Component(Part):
    name: str
    vat: float = 0.0
    valid_from: date | None = None
    valid_to: date | None = None
    unit: Literal["per_kwh", "cents_per_kwh", "per_mwh"] = "per_kwh"
    price: float


class Fixed(Component):
    kind: Literal["fixed"]


class Window(ClockWindow):
    months: tuple[int, ...] = ()
    price: float


class Calendar(Component):
    kind: Literal["calendar"]
    windows: tuple[Window, ...]
    holidays: str | None = None


if find_spec("luna.energy.tariffs.components") is None:
    one = ModuleType("luna.energy.tariffs.component")
    one.Component = Component
    kinds = ModuleType("luna.energy.tariffs.components")
    kinds.COMPONENT = TypeAdapter(Annotated[Fixed | Calendar, Field(discriminator="kind")])
    sys.modules |= {one.__name__: one, kinds.__name__: kinds}
