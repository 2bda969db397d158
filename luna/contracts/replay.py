"""Replay recorded days under several policies."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from luna.contracts.forecast import ForecastVersion
from luna.contracts.message import Message, Request

# Those replayed where none are named; there are more: docs/architecture.md.
POLICIES = ("idle", "self_consumption", "rule", "mpc", "mpc_perfect", "oracle")


class DayCost(Message):
    """What a policy cost on one local day; ``stored_gain`` is what the energy gained in the batteries that day is worth."""

    day: date
    cost: float
    stored_gain: float = 0.0


class PolicyReply(Message):
    """What a policy did over the window. ``score`` is the share of the oracle's savings over idle.

    ``cost`` is the sum of the days less ``stored_gain``: what the energy gained in the batteries is worth at ``terminal_value`` per kWh.
    """

    cost: float
    import_kwh: float
    export_kwh: float
    cycles: float
    score: float | None
    violations: int
    mode_changes_per_day: float
    terminal_value: float
    stored_gain: float = 0.0
    days: list[DayCost]


class ReplayReply(Message):
    """All policies under one initial and one terminal rule; ``loss`` says what each kind of forecast error cost, ``forecast_version`` what ``mpc`` saw."""

    policies: dict[str, PolicyReply]
    slots: int
    currency: str
    initial_soc: dict[str, float]
    loss: dict[str, float] = {}
    forecast_version: str | None = None


class ReplayRequest(Request):
    """Replay a stored site from ``from_day`` to ``to_day``, both included, re-planning every ``every_minutes``."""

    task: ClassVar[str] = "planner.replay.run"
    reply: ClassVar[type[Message]] = ReplayReply

    site_id: Annotated[str, Field(min_length=1, max_length=64)]
    from_day: date
    to_day: date
    policies: Annotated[list[str], Field(min_length=1, max_length=16)] = list(POLICIES)
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    system_id: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,96}$")] = "simulation"
    forecast_version: Annotated[ForecastVersion | None, Field(description="what mpc plans from; default: the site's active version")] = None
