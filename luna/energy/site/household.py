"""What a household says of itself: how much it uses in a year, for as long as nothing was measured."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from luna.energy.devices.heat_pump import CopPoint, HeatPump
from luna.energy.devices.vehicle import CAR_KWH_PER_100_KM
from luna.energy.part import Part

# Of a household by its persons, the last of five and more. Source: BDEW 2021, electricity per household in Germany.
YEARLY_KWH_BY_PERSONS = (1900.0, 2890.0, 3720.0, 4085.0, 5430.0)
ASSUMED_YEARLY_KWH = 3500.0  # of whom nothing is known: between two and three persons
# Source: Fraunhofer ISE, WPsmart im Bestand (2020): heat of 41 houses with heat pumps, 48 to 233 kWh/m² and 110 in the mean. 3.1 is what is quoted of its pumps
# that take heat from the air; those of its successor, WP-QS im Bestand (2025), made 3.4.
HEAT_KWH_PER_M2 = 110.0
HEAT_PER_KWH = {"heat_pump": 3.1, "electric": 1.0, "none": 1.0}
# The same by the temperature outdoors, for how the year's electricity follows the cold.
_STEADY = (CopPoint(outdoor_c=0.0, cop=1.0),)
COP: dict[str, tuple[CopPoint, ...]] = {"heat_pump": tuple(HeatPump.model_fields["cop"].default), "electric": _STEADY, "none": _STEADY}
ASSUMED_M2 = 120.0
# Of a bill; the rest is light, kitchen and what else every household has.
MOST_SHARE_OF_BILL = 0.8

LoadBasis = Literal["yearly_kwh", "persons", "assumed"]
HeatedBy = Literal["heat_pump", "electric", "none"]


class YearlyLoad(NamedTuple):
    """What is used in a year, kWh: by the household itself, by what heats, and by a car at a plain socket."""

    household_kwh: float
    heating_kwh: float
    car_kwh: float


class Household(Part):
    """How much the household uses: a year's kWh, else its persons, from which they are taken; a plan says where neither is known."""

    yearly_kwh: Annotated[
        float | None, Field(ge=100, le=100_000, description="used in a year without devices that have meters of their own; empty: from persons")
    ] = None
    persons: Annotated[int | None, Field(ge=1, le=20, description="who live there; empty: 3,500 kWh a year are assumed")] = None
    heated_by: Annotated[
        HeatedBy | None, Field(description="by what electricity heats, where it has no meter of its own and is no heat pump of the site; empty: by nothing")
    ] = None
    heating_kwh: Annotated[float | None, Field(ge=100, le=100_000, description="electricity for heating in a year; empty: from heated_m2")] = None
    heated_m2: Annotated[float | None, Field(ge=10, le=5_000, description="living area; empty: 120 m² are assumed")] = None
    car_km_per_year: Annotated[
        float | None, Field(ge=100, le=300_000, description="driven with a car that charges at a plain socket; counts where the site names no car")
    ] = None

    @property
    def load_basis(self) -> LoadBasis:
        """What the yearly load is taken from."""
        if self.yearly_kwh is not None:
            return "yearly_kwh"
        return "assumed" if self.persons is None else "persons"

    @property
    def yearly_load_kwh(self) -> float:
        """What the household uses in a year, as far as it is known."""
        if self.yearly_kwh is not None:
            return self.yearly_kwh
        return ASSUMED_YEARLY_KWH if self.persons is None else YEARLY_KWH_BY_PERSONS[min(self.persons, len(YEARLY_KWH_BY_PERSONS)) - 1]

    def split_year(self, *, heats: bool, charges: bool) -> YearlyLoad:
        """Return what is used in a year and by what.

        Args:
            heats: what heats is no device of the site.
            charges: the car is none.

        Invariants: a bill has heating and car in it; to what is assumed by persons they are added.
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
        return (self.heated_m2 or ASSUMED_M2) * HEAT_KWH_PER_M2 / HEAT_PER_KWH[self.heated_by or "none"]
