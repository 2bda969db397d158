"""Replay recorded days under several policies."""

from datetime import date, timedelta
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from luna.contracts.forecast import DrivingVersion, ForecastVersion
from luna.contracts.message import Message, Request, Schedule
from luna.contracts.plan.reply import NoteReply
from luna.energy.refusals import invalid_part
from luna.energy.timeline import Day, Instant
from luna.words import read_policy

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
    """One thing that goes wrong for ``hours``.

    It does so at ``from``, or ``times`` times at instants that the replay's seed draws.
    ``forecasts_missing``, ``prices_missing``: what would be issued or published then never comes.
    ``forecasts_late``, ``prices_late``: it comes ``late_hours`` later. ``sensor_frozen``: the state
    of charge reads what it read before. ``command_lost``: the inverter consumes its own whatever it
    is told. ``planner_down``: the same for policies that plan. ``grid_outage``: nothing is imported
    or exported, the battery carries the house as far as it can. ``clock_behind``: the controller's
    clock is ``late_hours`` late.
    """

    kind: FaultKind
    from_: Annotated[
        Instant | None, Field(alias="from", description="default: drawn by the seed")
    ] = None
    hours: Annotated[float, Field(gt=0, le=24 * 366)] = 6.0
    times: Annotated[int, Field(ge=1, le=1000)] = 1
    late_hours: Annotated[float, Field(ge=0, le=24 * 7)] = 1.0

    @model_validator(mode="after")
    def _once(self) -> Self:
        if self.from_ is not None and self.times != 1:
            raise invalid_part("fault-strikes-once")
        return self


class FaultReply(Message):
    """The cost of a fault, by policy.

    It is the cost with it less the cost without, stored energy included.

    Negative where it happened to pay.

    ``unserved_kwh`` is load that nothing could serve while the grid was away; it is in no cost.
    ``violations`` counts breaches of limits: always 0.
    """

    fault: Annotated[Fault | None, Field(description="null: all faults together")]
    spans: list[tuple[Instant, Instant]] = []
    cost: dict[str, float]
    unserved_kwh: dict[str, float] = {}
    violations: int = 0


# Those replayed where none are named; there are more: docs/architecture.md.
POLICIES = ("idle", "self_consumption", "rule", "mpc", "mpc_perfect", "oracle")


class DayCost(Message):
    """A policy's cost on one local day.

    Beside it stands what the energy gained in the batteries that day is worth. ``stored_gain``
    counts every kWh at ``terminal_value``; ``value_gain`` by the oracle's value of stored energy at
    both midnights: cost less ``value_gain`` compares policies day by day.
    """

    day: date
    cost: float
    stored_gain: float = 0.0
    value_gain: float | None = None
    import_carbon_g: Annotated[
        float | None,
        Field(
            description="grid intensity × import; null where the intensity of any slot is unknown"
        ),
    ] = None
    corrected: Annotated[
        int | None,
        Field(
            description=(
                "slots in which the safety layer changed what was asked for; null: nobody counted"
            )
        ),
    ] = None

    @property
    def settled(self) -> float:
        """The day's cost with what is left in the batteries counted in.

        That counts by the oracle's value where it is known.
        """
        return self.cost - (self.stored_gain if self.value_gain is None else self.value_gain)


class DayScore(DayCost):
    """One policy's cost on one local day, as a replay stored it."""

    policy: Annotated[
        str,
        Field(
            description="what decided: idle, self_consumption, rule, mpc, mpc_perfect, oracle, …"
        ),
    ]
    currency: Annotated[str, Field(description="of cost and gains, ISO 4217")]


class WeeksReply(Message):
    """A policy's whole weeks against self-consumption.

    They count from the first day; positive gains are cheaper, with stored energy counted in.
    """

    count: int
    losing: int
    worst_from: date
    worst_gain: float
    gain: float


class PolicyReply(Message):
    """The results of a policy over the window.

    ``score`` is the share of the oracle's savings over idle.

    ``cost`` is the sum of the days less ``stored_gain``: what the energy gained in the batteries is
    worth at ``terminal_value`` per kWh.
    """

    cost: float
    import_kwh: float
    export_kwh: float
    cycles: float
    score: float | None
    violations: int
    unserved_kwh: Annotated[
        float, Field(description="load that nothing could serve; 0 wherever the grid is there")
    ] = 0.0
    mode_changes_per_day: float
    terminal_value: float
    stored_gain: float = 0.0
    days: list[DayCost]
    weeks: Annotated[WeeksReply | None, Field(description="null for less than a week")] = None
    run_id: Annotated[
        str | None, Field(description="the training of a learned policy; null for the others")
    ] = None


class ReplayReply(Message):
    """All policies under one initial and one terminal rule.

    ``loss`` says what each kind of forecast error cost, ``forecast_version`` what ``mpc`` saw.

    ``policies`` know no fault; ``faults`` say what each costs them. ``as_recorded`` names devices
    that a plan would schedule: what they used is part of the recorded load and stays so.
    """

    policies: dict[str, PolicyReply]
    slots: int
    currency: str
    initial_soc: dict[str, float]
    loss: dict[str, float] = {}
    forecast_version: str | None = None
    driving: Annotated[
        DrivingVersion | None,
        Field(
            description=(
                "what drives the site's planner now; where it is forecast_version, a plan "
                "rests on the same"
            )
        ),
    ] = None
    notes: Annotated[
        list[NoteReply],
        Field(
            description=(
                "what is paid where the site names no tariff, and loaded prices that its "
                "tariff leaves unused"
            )
        ),
    ] = []
    faults: list[FaultReply] = []
    seed: int = 0
    as_recorded: list[str] = []


class ReplayRules(Message):
    """The rules by which any days are replayed.

    It is under these policies, re-planning every ``every_minutes``.
    """

    policies: Annotated[
        list[Annotated[str, BeforeValidator(read_policy)]], Field(min_length=1, max_length=16)
    ] = list(POLICIES)
    every_minutes: Annotated[int, Field(ge=5, le=1440)] = 60
    system_id: Annotated[str, Field(pattern=r"^[a-z0-9_.]{1,96}$")] = "simulation"
    forecast_version: Annotated[
        ForecastVersion | None,
        Field(description="what mpc plans from; default: the site's active version"),
    ] = None
    faults: Annotated[list[Fault], Field(max_length=16)] = []
    seed: Annotated[
        int, Field(ge=0, le=2**32 - 1, description="draws when faults strike that do not say")
    ] = 0
    explain_loss: Annotated[
        bool,
        Field(
            description=(
                "replay mpc with more knowledge as well, to say what each kind of forecast "
                "error costs it"
            )
        ),
    ] = True
    episodes: Annotated[
        str | None,
        Field(max_length=64, description="the policy whose days become episodes; null: none"),
    ] = "mpc"


class ReplayQuestion(ReplayRules):
    """The days and policies to replay, at any site.

    It is from ``from_day`` to ``to_day``, both included, re-planning every ``every_minutes``.
    """

    from_day: Day
    to_day: Day


class OneSite(Message):
    """Names a stored site."""

    site_id: Annotated[str, Field(min_length=1, max_length=64)]


class ReplayRequest(Request, ReplayQuestion, OneSite):
    """Replay a stored site.

    An interrupted replay that is requested again goes on where it was.
    """

    task: ClassVar[str] = "planner.replay.run"
    reply: ClassVar[type[Message]] = ReplayReply
    public: ClassVar[bool] = True


class ReplaySitesReply(Message):
    """The job that replays each site.

    Of days that were due it is the job of the last of them.
    """

    jobs: dict[str, str]


class ReplaySitesRequest(Request, ReplayRules):
    """Replay several stored sites side by side, each by jobs of its own.

    None named: all.

    Without days those of the last thirty that were measured whole, had a forecast and were not
    replayed; of sites that are not named, only in their night.
    """

    task: ClassVar[str] = "planner.replay.spread"
    reply: ClassVar[type[Message]] = ReplaySitesReply
    # Each site's turn comes once in its night; where nothing is due, a run looks and does nothing.
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "replays", "time between two looks for days to replay"
    )
    public: ClassVar[bool] = True

    site_ids: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=100_000)
    ] = []
    from_day: Annotated[Day | None, Field(description="first local day; default: what is due")] = (
        None
    )
    to_day: Annotated[
        Day | None, Field(description="last local day, included; default: what is due")
    ] = None

    @model_validator(mode="after")
    def _days(self) -> Self:
        if (self.from_day is None) != (self.to_day is None):
            raise invalid_part("days-together")
        return self
