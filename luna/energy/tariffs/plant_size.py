"""A component of feed-in that is paid by the size of the PV plant."""

from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from luna.energy.part import Part
from luna.energy.refusals import invalid_part
from luna.energy.tariffs.component import PricedSlots, UnitComponent, UnitPrice
from luna.energy.timeline import FloatArray

PlantKw = Annotated[float, Field(gt=0, le=10_000)]


class SizeStep(Part):
    """The price for the part of a plant up to a size; the last step may have no end."""

    up_to_kw: PlantKw | None = None
    price: UnitPrice


class PlantSizeComponent(UnitComponent):
    """One price for a plant, weighted by the kW that fall into each step.

    Source: EEG 2023, section 23c: shares of a plant's power are paid by their own steps.
    """

    kind: Literal["plant_size"]
    plant_kw: PlantKw
    steps: Annotated[
        tuple[SizeStep, ...], Field(min_length=1, max_length=12, description="by size, rising")
    ]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        ends = [step.up_to_kw or np.inf for step in self.steps]
        if any(one >= other for one, other in pairwise(ends)):
            raise invalid_part("steps-fall")
        if ends[-1] < self.plant_kw:
            raise invalid_part("plant-beyond-steps", plant_kw=self.plant_kw, up_to_kw=ends[-1])
        return self

    @property
    def price(self) -> float:
        """The weighted price, currency per kWh."""
        begin = 0.0
        total = 0.0
        for step in self.steps:
            end = min(step.up_to_kw or np.inf, self.plant_kw)
            total += max(end - begin, 0.0) * self.per_kwh(step.price)
            begin = end
        return total / self.plant_kw

    @property
    def bounds(self) -> tuple[float, float]:
        """The weighted price, twice."""
        return self.price, self.price

    def undated_price(self, slots: PricedSlots) -> FloatArray:
        """Return the weighted price for every slot."""
        return np.full(slots.timeline.count, self.price)
