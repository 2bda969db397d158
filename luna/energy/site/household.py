"""Yearly electricity of a household by use.

It follows from what its owner states, until measurements replace it.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from luna.energy.devices.heat_pump import CopPoint, HeatPump
from luna.energy.devices.vehicle import CAR_KWH_PER_100_KM
from luna.energy.part import Part

# By number of persons, the last for five and more. Source: BDEW 2021, electricity per household in
# Germany.
YEARLY_KWH_BY_PERSONS = (1900.0, 2890.0, 3720.0, 4085.0, 5430.0)
ASSUMED_YEARLY_KWH = 3500.0  # without any statement: between two and three persons
# Source: Fraunhofer ISE, WPsmart im Bestand (2020): heat of 41 houses with heat pumps, 48 to 233
# kWh/m², mean 110. Its air-source pumps are quoted with 3.1, those of its successor, WP-QS im
# Bestand (2025), with 3.4.
HEAT_KWH_PER_M2 = 110.0
HEAT_PER_KWH = {"heat_pump": 3.1, "electric": 1.0, "none": 1.0}
# The same by outdoor temperature, to distribute the year's electricity over cold and warm days.
_STEADY = (CopPoint(outdoor_c=0.0, cop=1.0),)
COP: dict[str, tuple[CopPoint, ...]] = {
    "heat_pump": tuple(HeatPump.model_fields["cop"].default),
    "electric": _STEADY,
    "none": _STEADY,
}
ASSUMED_M2 = 120.0
# Most of a bill for heating and car; the rest is lighting, cooking and other common uses.
MOST_SHARE_OF_BILL = 0.8

LoadBasis = Literal["yearly_kwh", "persons", "assumed"]
HeatedBy = Literal["heat_pump", "electric", "none"]


class YearlyLoad(NamedTuple):
    """Yearly use, kWh: household, heating, and a car at a plain socket."""

    household_kwh: float
    heating_kwh: float
    car_kwh: float


class Household(Part):
    """Yearly use of the household in kWh, else its number of persons to estimate it from.

    A plan says where neither is known.
    """

    yearly_kwh: Annotated[
        float | None,
        Field(
            ge=100,
            le=100_000,
            description=(
                "used in a year without devices that have meters of their own; empty: from persons"
            ),
        ),
    ] = None
    persons: Annotated[
        int | None,
        Field(ge=1, le=20, description="who live there; empty: 3,500 kWh a year are assumed"),
    ] = None
    heated_by: Annotated[
        HeatedBy | None,
        Field(
            description=(
                "by what electricity heats, where it has no meter of its own and is no heat "
                "pump of the site; empty: by nothing"
            )
        ),
    ] = None
    heating_kwh: Annotated[
        float | None,
        Field(
            ge=100,
            le=100_000,
            description="electricity for heating in a year; empty: from heated_m2",
        ),
    ] = None
    heated_m2: Annotated[
        float | None, Field(ge=10, le=5_000, description="living area; empty: 120 m² are assumed")
    ] = None
    car_km_per_year: Annotated[
        float | None,
        Field(
            ge=100,
            le=300_000,
            description=(
                "driven with a car that charges at a plain socket; counts where the site names "
                "no car"
            ),
        ),
    ] = None

    @property
    def load_basis(self) -> LoadBasis:
        """The basis of the yearly load."""
        if self.yearly_kwh is not None:
            return "yearly_kwh"
        return "assumed" if self.persons is None else "persons"

    @property
    def yearly_load_kwh(self) -> float:
        """Yearly electricity of the household, kWh: stated, by persons, or assumed."""
        if self.yearly_kwh is not None:
            return self.yearly_kwh
        if self.persons is None:
            return ASSUMED_YEARLY_KWH
        row = min(self.persons, len(YEARLY_KWH_BY_PERSONS)) - 1
        return YEARLY_KWH_BY_PERSONS[row]

    def split_year(self, *, heats: bool, charges: bool) -> YearlyLoad:
        """Split the yearly electricity by use.

        Args:
            heats: include heating, which is no device of the site.
            charges: include the car, which is no device of the site.

        Invariants: a stated yearly energy contains heating and car; they are added to one by
            persons or assumed.
        """
        heating_kwh = self._estimate_heating() if heats else 0.0
        car_kwh = (self.car_km_per_year or 0.0) / 100 * CAR_KWH_PER_100_KM if charges else 0.0
        beside = heating_kwh + car_kwh
        if self.yearly_kwh is None or not beside:
            return YearlyLoad(self.yearly_load_kwh, heating_kwh, car_kwh)
        factor = min(1.0, MOST_SHARE_OF_BILL * self.yearly_kwh / beside)
        return YearlyLoad(self.yearly_kwh - factor * beside, factor * heating_kwh, factor * car_kwh)

    def _estimate_heating(self) -> float:
        if self.heated_by in {None, "none"}:
            return 0.0
        if self.heating_kwh is not None:
            return self.heating_kwh
        heat_kwh = (self.heated_m2 or ASSUMED_M2) * HEAT_KWH_PER_M2
        return heat_kwh / HEAT_PER_KWH[self.heated_by or "none"]
