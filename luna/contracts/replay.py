"""Replay recorded days under several policies."""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from luna.contracts.fault import Fault, FaultReply
from luna.contracts.forecast import ForecastVersion
from luna.contracts.forecast_driving import DrivingVersion
from luna.contracts.message import Message, Request
from luna.contracts.plan.notes import NoteReply
from luna.wording import read_policy

# Those replayed where none are named; there are more: docs/architecture.md.
POLICIES = ("idle", "self_consumption", "rule", "mpc", "mpc_perfect", "oracle")


class DayCost(Message):
    """What a policy cost on one local day, and what the energy gained in the batteries that day is worth.

    ``stored_gain`` counts every kWh at ``terminal_value``; ``value_gain`` by the oracle's value of stored energy at both midnights: cost less
    ``value_gain`` compares policies day by day.
    """

    day: date
    cost: float
    stored_gain: float = 0.0
    value_gain: float | None = None


class WeeksReply(Message):
    """A policy's whole weeks, counted from the first day, against self-consumption: positive gains are cheaper, stored energy counted in."""

    count: int
    losing: int
    worst_from: date
    worst_gain: float
    gain: float


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
    weeks: Annotated[WeeksReply | None, Field(description="null for less than a week")] = None


class ReplayReply(Message):
    """All policies under one initial and one terminal rule; ``loss`` says what each kind of forecast error cost, ``forecast_version`` what ``mpc`` saw.

    ``policies`` know no fault; ``faults`` say what each costs them. ``as_recorded`` names vehicles and appliances: what they used is part of
    the recorded load, nothing of it is placed anew.
    """

    policies: dict[str, PolicyReply]
    slots: int
    currency: str
    initial_soc: dict[str, float]
    loss: dict[str, float] = {}
    forecast_version: str | None = None
    driving: Annotated[
        DrivingVersion | None, Field(description="what drives the site's planner now; where it is forecast_version, a plan rests on the same")
    ] = None
    notes: Annotated[list[NoteReply], Field(description="what is paid where the site names no tariff, and loaded prices that its tariff leaves unused")] = []
    faults: list[FaultReply] = []
    seed: int = 0
    as_recorded: list[str] = []


class ReplayQuestion(Message):
    """What to replay, wherever: from ``from_day`` to ``to_day``, both included, re-planning every ``every_minutes``."""

    from_day: date
    to_day: date
    policies: Annotated[list[Annotated[str, BeforeValidator(read_policy)]], Field(min_length=1, max_length=16)] = list(POLICIES)
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    system_id: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,96}$")] = "simulation"
    forecast_version: Annotated[ForecastVersion | None, Field(description="what mpc plans from; default: the site's active version")] = None
    faults: Annotated[list[Fault], Field(max_length=16)] = []
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="draws when faults strike that do not say")] = 0
    episodes: Annotated[str | None, Field(max_length=64, description="the policy whose days become episodes; null: none")] = "mpc"


class OneSite(Message):
    """Names a stored site."""

    site_id: Annotated[str, Field(min_length=1, max_length=64)]


class ReplayRequest(Request, ReplayQuestion, OneSite):
    """Replay a stored site. One that is interrupted and asked for again goes on where it was."""

    task: ClassVar[str] = "planner.replay.run"
    reply: ClassVar[type[Message]] = ReplayReply


class ReplaySitesReply(Message):
    """The job that replays each site."""

    jobs: dict[str, str]


class ReplaySitesRequest(Request, ReplayQuestion):
    """Replay several stored sites side by side, each by a job of its own; none named: all."""

    task: ClassVar[str] = "planner.replay.spread"
    reply: ClassVar[type[Message]] = ReplaySitesReply

    site_ids: Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100_000)] = []
