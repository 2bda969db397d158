"""Rules that set a plan's parameters by what is going on; each is off unless the site names it."""

from typing import Annotated

from pydantic import Field

from luna.site.part import Fraction, Name, Part


class VacationRule(Part):
    """While nobody is at home: a reserve, and loads that rest; vehicles keep their targets."""

    reserve_soc: Fraction = 0.2
    loads_off: Annotated[list[Name], Field(max_length=32)] = []


class OutageRule(Part):
    """While a warning of a storm or an outage holds, batteries keep a reserve; they fill for it beforehand when that is cheapest."""

    reserve_soc: Fraction = 0.5


class PriceExtremesRule(Part):
    """On days whose prices are beyond a quantile of the last thirty days' in level or spread, plans over scenarios heed the dearer ones more."""

    quantile: Annotated[float, Field(ge=0.5, lt=1)] = 0.95
    risk: Fraction = 0.3


class SafetyIndex(Part):
    """The predecessor's S-index: a factor on what the house may need beyond what is expected, kept in the batteries over midnight.

    Source: Darkstar Energy Manager, calculate_dynamic_s_index and its defaults.
    """

    base_factor: Annotated[float, Field(ge=1, le=3)] = 1.05
    most_factor: Annotated[float, Field(ge=1, le=3)] = 1.5
    pv_deficit_weight: Annotated[float, Field(ge=0, le=2)] = 0.3
    temperature_weight: Annotated[float, Field(ge=0, le=2)] = 0.2
    warm_c: Annotated[float, Field(gt=-50, le=50, description="from here on warmth asks for no margin")] = 20.0
    cold_c: Annotated[float, Field(ge=-50, lt=50, description="from here down cold asks for all of it")] = -15.0


class Strategy(Part):
    """Which rules hold."""

    vacation: VacationRule | None = None
    outage: OutageRule | None = None
    price_extremes: PriceExtremesRule | None = None
    s_index: SafetyIndex | None = None
