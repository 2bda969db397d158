"""What is going on around a site, what batteries should hold for it, and which rules a plan was made by."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.message import Instant, Message

Rule = Literal["vacation", "outage", "price_extremes", "s_index"]
Days = Annotated[list[Annotated[float, Field(ge=-100, le=200)]], Field(max_length=366)]


class OutageWarning(Message):
    """A warning of a storm or an outage."""

    from_: Annotated[Instant, Field(alias="from")]
    to: Instant

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to <= self.from_:
            raise ValueError("a warning ends after it begins: to must be later than from")
        return self


class Reserve(OutageWarning):
    """What batteries should hold for a time, a share of their capacity; one battery, or all."""

    soc: Annotated[float, Field(ge=0, le=1)]
    battery: Annotated[str | None, Field(max_length=64)] = None


class Surroundings(Message):
    """What is known besides forecasts and prices ahead.

    ``temperature_c`` is the mean of the days ahead; ``past_levels`` and ``past_spreads`` are the mean import price of each of the last days, and how
    far its dearest slot was above its cheapest.
    """

    vacation: bool = False
    warnings: Annotated[list[OutageWarning], Field(max_length=16)] = []
    temperature_c: Annotated[float | None, Field(ge=-90, le=60)] = None
    past_levels: Days = []
    past_spreads: Days = []


class AppliedRule(Message):
    """A rule that set a parameter of a plan: to what, and why."""

    rule: Rule
    parameter: str
    value: float
    why: str
