"""What may go wrong in a replay."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from luna.contracts.message import Instant, Message

FaultKind = Literal[
    "forecasts_missing",
    "forecasts_late",
    "prices_missing",
    "prices_late",
    "sensor_frozen",
    "command_lost",
    "planner_down",
    "grid_outage",
    "clock_behind",
]


class Fault(Message):
    """One thing that goes wrong for ``hours``: at ``from``, or ``times`` times at instants that the replay's seed draws.

    ``forecasts_missing``, ``prices_missing``: what would be issued or published then never comes. ``forecasts_late``, ``prices_late``: it comes
    ``late_hours`` later. ``sensor_frozen``: the state of charge reads what it read before. ``command_lost``: the inverter consumes its own whatever it is
    told. ``planner_down``: the same for policies that plan. ``grid_outage``: nothing is imported or exported, the battery carries the house
    as far as it can. ``clock_behind``: the controller's clock is ``late_hours`` late.
    """

    kind: FaultKind
    from_: Annotated[Instant | None, Field(alias="from", description="default: drawn by the seed")] = None
    hours: Annotated[float, Field(gt=0, le=24 * 366)] = 6.0
    times: Annotated[int, Field(ge=1, le=1000)] = 1
    late_hours: Annotated[float, Field(ge=0, le=24 * 7)] = 1.0

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.from_ is not None and self.times != 1:
            raise ValueError("a fault that names its instant strikes once: leave out times, or from")
        return self


class FaultReply(Message):
    """What a fault cost: by policy, cost with it less cost without, stored energy counted in; negative where it happened to pay.

    ``unserved_kwh`` is load that nothing could serve while the grid was away; it is in no cost. ``violations`` counts breaches of limits: always 0.
    """

    fault: Annotated[Fault | None, Field(description="null: all faults together")]
    spans: list[tuple[Instant, Instant]] = []
    cost: dict[str, float]
    unserved_kwh: dict[str, float] = {}
    violations: int = 0
