"""What a household says of itself: how much it uses in a year, for as long as nothing was measured."""

from typing import Annotated, Literal

from pydantic import Field

from luna.site.part import Part

# Of a household by its persons, the last of five and more. Source: BDEW 2021, electricity per household in Germany.
YEARLY_KWH_BY_PERSONS = (1900.0, 2890.0, 3720.0, 4085.0, 5430.0)
ASSUMED_YEARLY_KWH = 3500.0  # of whom nothing is known: between two and three persons

LoadBasis = Literal["yearly_kwh", "persons", "assumed"]


class Household(Part):
    """How much the household uses: a year's kWh, else its persons, from which they are taken; a plan says where neither is known."""

    yearly_kwh: Annotated[
        float | None, Field(ge=100, le=100_000, description="used in a year without vehicles and heat pumps that have meters of their own; empty: from persons")
    ] = None
    persons: Annotated[int | None, Field(ge=1, le=20, description="who live there; empty: 3,500 kWh a year are assumed")] = None

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
