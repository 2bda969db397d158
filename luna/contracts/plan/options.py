"""How to plan."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.message import Message
from luna.site import Objective

Language = Literal["en", "de"]


class Terminal(Message):
    """What holds at the end of the horizon.

    ``minimum_soc``/``equal_soc``: the SoC ``soc`` (default: the SoC at the start) is reached at least / exactly;
    ``value``: a stored kWh is worth ``value``, for all batteries or by name; ``automatic``: 0.6 × the mean import price.
    """

    kind: Literal["minimum_soc", "equal_soc", "value", "automatic"] = "automatic"
    soc: Annotated[float, Field(ge=0, le=1)] | None = None
    value: Annotated[float, Field(ge=-100, le=100)] | dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = None

    @model_validator(mode="after")
    def _value_given(self) -> Self:
        if self.kind == "value" and self.value is None:
            raise ValueError("terminal.value is needed: currency per stored kWh")
        return self


class PlanOptions(Message):
    """How to plan."""

    terminal: Terminal = Terminal()
    mip_gap: Annotated[
        float | None, Field(ge=0, le=1, description="proven distance from the optimum; empty: none, or 0.3 % where vehicles or appliances are placed")
    ] = None
    time_limit_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    language: Language = "en"
    objective: Annotated[Objective | None, Field(description="what counts beside money; empty: as the site says")] = None
    switching_price: Annotated[float | None, Field(ge=0, le=10, description="instead of the objective's: what another mode of a battery has to gain")] = None
    compare_cheapest: Annotated[
        bool, Field(description="say what the objective costs beside the cheapest plan even where vehicles or appliances are placed: it takes as long again")
    ] = False
    price_sessions: Annotated[bool, Field(description="say what vehicles' deadlines cost; four linear solves a session, about as long as the plan")] = False
    uncertainty: Annotated[
        Literal["point", "scenarios"],
        Field(description="whether a battery is planned by what is expected, or by the mean value of stored energy over courses that load and PV may take"),
    ] = "point"
    risk: Annotated[float, Field(ge=0, le=1, description="which courses count: 0 all, 0.3 the dearest 70 %, 1 the dearest alone; scenarios only")] = 0.0

    @model_validator(mode="after")
    def _risk_of_scenarios(self) -> Self:
        if self.risk and self.uncertainty == "point":
            raise ValueError("options.risk weighs scenarios: it needs options.uncertainty: scenarios")
        return self
