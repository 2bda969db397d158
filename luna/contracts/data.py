"""Loading, repairing, judging and fetching of series."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from luna.contracts.file_guess import FileReading
from luna.contracts.message import Message, Request, Schedule
from luna.energy.day_fault import DayFault
from luna.energy.quality_verdict import QualityVerdict
from luna.energy.refusals import invalid_part
from luna.energy.row_fault import RowFault
from luna.energy.timeline import Day, Instant
from luna.words.quality import say_day_fault

Kind = Literal["observations", "prices", "weather", "carbon", "readings"]
Column = Annotated[str, Field(min_length=1, max_length=200)]


class LoadReply(Message):
    """The outcome of a file's rows: accepted, quarantined or duplicated.

    ``inserted``, ``updated`` and ``unchanged`` count what is stored.
    """

    rows: int
    accepted: int
    accepted_in_part: Annotated[
        int, Field(description="accepted rows of which a bad value is in quarantine")
    ] = 0
    repaired: Annotated[int, Field(description="repairs to accepted rows")]
    quarantined: int
    duplicated: int
    repairs: dict[str, int]
    reasons: dict[str, int]
    notes: list[str]
    step_minutes: float | None
    first: datetime | None
    last: datetime | None
    inserted: int
    updated: int
    unchanged: int


class LoadFileRequest(Request):
    """Store the rows of a file that lies in the store of objects.

    Loading it again changes nothing.
    """

    task: ClassVar[str] = "ingest.file.load"
    reply: ClassVar[type[Message]] = LoadReply

    site_id: Annotated[str, Field(min_length=1, max_length=200)]
    object_key: Annotated[
        str, Field(max_length=1000, description="where the file lies in the store of objects")
    ]
    file_name: Annotated[str, Field(max_length=200, description="what its owner calls it")] = "file"
    kind: Kind
    timezone: Annotated[
        str | None,
        Field(
            max_length=100,
            description="where the clock of times without offset stands; default: the site's",
        ),
    ] = None
    columns: Annotated[
        Mapping[Column, Column],
        Field(max_length=100, description="Luna's name of a column and the file's"),
    ] = {}
    units: Annotated[
        Mapping[Column, Column],
        Field(max_length=100, description="Luna's name of a column and its unit in the file"),
    ] = {}
    ignore: Annotated[
        list[Column], Field(max_length=200, description="columns of the file to leave out")
    ] = []
    reading: Annotated[
        FileReading | None,
        Field(
            description="how a file of other columns is read; it says all that the fields above do"
        ),
    ] = None


class DayQuality(Message):
    """One local day: the verdict, and what speaks against the day."""

    day: date
    verdict: QualityVerdict
    faults: Annotated[
        list[DayFault], Field(description="what speaks against the day: codes with parameters")
    ] = []
    reasons: Annotated[
        list[str],
        Field(description="the same in English"),
    ] = Field(default_factory=lambda day: [say_day_fault(fault) for fault in day["faults"]])


class SiteQuality(Message):
    """The days of a site that were judged, in order."""

    site_id: str
    days: list[DayQuality]


class JudgeQualityReply(Message):
    """The judged days, by site."""

    sites: list[SiteQuality]


class JudgeQualityRequest(Request):
    """Judge local days and store the verdicts.

    The days are those named, or the last week of every site and what was written since it was
    judged.
    """

    task: ClassVar[str] = "ingest.quality.judge"
    reply: ClassVar[type[Message]] = JudgeQualityReply
    # Somewhere it is past midnight every hour: a day is judged within an hour of its end.
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "quality", "time between two looks at days to judge"
    )
    public: ClassVar[bool] = True

    site_id: Annotated[
        str | None, Field(min_length=1, max_length=64, description="default: every site")
    ] = None
    from_day: Annotated[
        Day | None, Field(description="first local day; default: a week before to_day")
    ] = None
    to_day: Annotated[
        Day | None,
        Field(description="last local day, included; default: the site's day before this one"),
    ] = None


Resolution = Literal["released", "corrected", "dismissed"]
# "open" is what nobody has decided about yet.
QuarantineFilter = Literal["open", "released", "corrected", "dismissed"]
Cell = str | int | float | None


class QuarantinedRow(Message):
    """A refused row with its reason and, once somebody decided, what became of it."""

    quarantine_id: int
    kind: str
    source: Annotated[str, Field(description="the file's SHA-256, or the name of a live source")]
    line: int
    fault: Annotated[RowFault, Field(description="why it was refused: a code with parameters")]
    reason: Annotated[str, Field(description="the same in English")]
    raw: Annotated[dict[str, Any], Field(description="the row as received")]
    received_at: Instant
    resolution: Resolution | None = None
    corrected: Annotated[
        dict[str, Any] | None, Field(description="the row as corrected by hand")
    ] = None
    resolved_at: Instant | None = None
    resolved_by: Annotated[
        str | None, Field(description="who decided; null: nobody has, or it was not noted")
    ] = None


class ResolveReply(Message):
    """The row as it now stands.

    ``slots_changed`` counts values of the past that differ from before.
    """

    row: QuarantinedRow
    slots_changed: int


class ResolveRequest(Request):
    """Decide about a refused row.

    Let it in as it is, let it in with other values, or leave it out for good.
    """

    task: ClassVar[str] = "ingest.quarantine.resolve"
    reply: ClassVar[type[Message]] = ResolveReply

    quarantine_id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    resolution: Resolution
    values: Annotated[
        dict[str, Cell],
        Field(description="column → value as it should have been; the others stay as received"),
    ] = {}
    by: Annotated[
        str, Field(min_length=1, max_length=64, description="who decides; it is kept with the row")
    ] = "owner"

    @model_validator(mode="after")
    def _corrects_something(self) -> "ResolveRequest":
        if (self.resolution == "corrected") != bool(self.values):
            raise invalid_part("correction-values")
        return self


class BuiltSeries(Message):
    """A column of the quarter-hours that were built.

    ``known`` counts its quarter-hours with a value, ``interpolated`` those of them that rest on
    less than readings, ``filled`` those of which a counter gives the sum alone, ``rejected`` the
    readings of its sensors that were refused, by reason.
    """

    known: int
    interpolated: int
    filled: int = 0
    rejected: dict[str, int]


class KeptDay(Message):
    """A local day of a series whose rebuilt values differ too much.

    They differ by a factor, are turned around or half gone, so the stored day stays.
    """

    day: date
    series: str
    before_kwh: float
    after_kwh: float


class BuildSlotsReply(Message):
    """The slots that were built from ``first`` on, before ``end``, both on the grid.

    Args:
        slots_written: quarter-hours added or changed.
        slots_withdrawn: values taken back because the meter they came from was found to be stuck.
        quarantined: entries in quarantine, each a reading or neighbouring ones refused for one
            reason.
        missing_sensors: those that the site names and that never said anything.
        kept: days that stay as they are stored, because they would become something else; only
            where nobody asked for the build.
    """

    site_id: str
    first: Instant
    end: Instant
    slots_written: int
    slots_withdrawn: int = 0
    quarantined: int = 0
    series: dict[str, BuiltSeries] = {}
    missing_sensors: list[str] = []
    kept: list[KeptDay] = []


class BuildSlotsRequest(Request):
    """Build a site's quarter-hours of a span.

    They begin with the one that covers ``first`` and end with the one that ends at or after
    ``end``.
    """

    task: ClassVar[str] = "ingest.slots.build"
    reply: ClassVar[type[Message]] = BuildSlotsReply
    public: ClassVar[bool] = True

    site_id: str
    first: Instant
    end: Instant
    accept: Annotated[
        bool,
        Field(
            description=(
                "replace also days that become something else: by a factor, turned around or "
                "half gone"
            )
        ),
    ] = False


class BackfilledSensor(Message):
    """Counts of one sensor: readings with a value, readings without, and rows.

    Readings without a value said that none is known; rows are those new or changed.
    """

    sensor: str
    role: str
    unit: str | None
    readings: int
    unknown: int
    rows_written: int


class BackfillReply(Message):
    """The readings that were taken over, and the quarter-hours built from them.

    Sensors whose names are none of Home Assistant's have no past to read.
    """

    sensors: list[BackfilledSensor]
    left_out: list[str] = []
    slots: BuildSlotsReply


class BackfillRequest(Request):
    """Read the past of a site's sensors into the database and build its slots.

    The time is that from ``first`` on, before ``end``.
    """

    task: ClassVar[str] = "ingest.history.backfill"
    reply: ClassVar[type[Message]] = BackfillReply
    public: ClassVar[bool] = True

    site_id: str
    first: Instant
    end: Instant


# By the names of their modules in services/ingest/sources/prices, in the order in which they are
# asked: the official one first, where there is a token; then those that have quarter-hours; Tibber
# knows two days and needs a customer; those of one country, grid or retailer come last.
PriceService = Literal[
    "entsoe",
    "energy_charts",
    "nord_pool",
    "awattar",
    "tibber",
    "octopus",
    "elering",
    "energinet",
    "omie",
    "comed",
    "comed_day_ahead",
    "esios",
    "smart_energy",
    "ostrom",
    "amber",
    "octopus_intelligent",
]
MarketName = Annotated[str, Field(min_length=1, max_length=32)]


class MarketPricesReply(Message):
    """The outcome for one market: quarter-hours by service, and those unknown.

    The unknown ones are those of the time asked for.
    """

    market: str
    currency: str
    first: Instant
    end: Instant
    added: int
    revised: int
    corrected: Annotated[
        int,
        Field(
            description=(
                "of the revised ones those of past quarter-hours: the list of changes has them"
            )
        ),
    ] = 0
    missing: int
    sources: dict[str, int] = {}
    faults: Annotated[list[str], Field(description="what services said that gave nothing")] = []


class FetchPricesReply(Message):
    """One entry for each market that was asked for; none where everything was known."""

    markets: list[MarketPricesReply]
    reached: Annotated[bool, Field(description="false: no service answered")] = True


class FetchPricesRequest(Request):
    """Fetch day-ahead prices.

    Without ``first`` and ``end`` what is missing, and once an hour what may have been revised.

    ``market``: one alone, default: every market that a site's tariff names. ``source``: one service
    alone, default: in order of preference.
    """

    task: ClassVar[str] = "ingest.prices.fetch"
    reply: ClassVar[type[Message]] = FetchPricesReply
    # Tomorrow's prices are there within ten minutes of being published; where nothing is missing, a
    # run that is not the hour's first asks for nothing but forecasts of the hours around it. Where
    # no service is reached, the task asks for itself again much sooner.
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=10), "prices", "time between two looks for prices that are missing"
    )
    public: ClassVar[bool] = True

    market: MarketName | None = None
    currency: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Z]{3}$",
            description="default: that of the sites on this market, else its own",
        ),
    ] = None
    first: Instant | None = None
    end: Instant | None = None
    source: PriceService | None = None


class SiteWeatherReply(Message):
    """The new or changed quarter-hours of weather at one site."""

    site_id: str
    written: int
    faults: list[str] = []


class FetchWeatherReply(Message):
    """One entry for each site that says where it is."""

    sites: list[SiteWeatherReply]
    reached: Annotated[bool, Field(description="false: the service did not answer")] = True


class FetchWeatherRequest(Request):
    """Fetch the weather where sites are.

    It is the forecast, or from ``first`` on, before ``end``, what it was and is expected to be.
    ``site_id``: one alone, default: every site with a location.
    """

    task: ClassVar[str] = "ingest.weather.fetch"
    reply: ClassVar[type[Message]] = FetchWeatherReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "weather", "time between two looks at the weather"
    )
    public: ClassVar[bool] = True

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    first: Instant | None = None
    end: Instant | None = None


# By the names of their modules in services/ingest/sources/carbon, in the order in which they are
# asked: grid operators first, then those of many countries; Electricity Maps needs a token.
CarbonService = Literal[
    "uk_carbon_intensity",
    "energinet",
    "energy_charts",
    "electricity_maps",
]


class SiteCarbonReply(Message):
    """The outcome for one site: quarter-hours by service, and those unknown.

    The unknown ones are those of the time asked for.
    """

    site_id: str
    first: Instant
    end: Instant
    added: int
    revised: int
    missing: int
    sources: dict[str, int] = {}
    faults: Annotated[list[str], Field(description="what services said that gave nothing")] = []


class FetchCarbonReply(Message):
    """One entry for each site in a place that a service knows."""

    sites: list[SiteCarbonReply]
    reached: Annotated[bool, Field(description="false: no service answered")] = True


class FetchCarbonRequest(Request):
    """Fetch the carbon intensity of the grid where sites are.

    Without ``first`` and ``end`` that of the last day and the forecast. ``site_id``: one alone,
    default: every site in a place that a service knows. ``source``: one service alone, default: in
    order of preference.
    """

    task: ClassVar[str] = "ingest.carbon.fetch"
    reply: ClassVar[type[Message]] = FetchCarbonReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "carbon", "time between two looks at the grid's carbon intensity"
    )
    public: ClassVar[bool] = True

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
    first: Instant | None = None
    end: Instant | None = None
    source: CarbonService | None = None


class SiteLimitsReply(Message):
    """The limits of a site that its grid operator announces."""

    site_id: str
    limits: Annotated[int, Field(description="how many are in force or ahead")] = 0
    fault: Annotated[
        str | None, Field(description="what the server said that gave nothing; null: no fault")
    ] = None


class FetchLimitsReply(Message):
    """One entry for each server that was read for a site."""

    sites: list[SiteLimitsReply]


class FetchLimitsRequest(Request):
    """Fetch the limits that grid operators announce over OpenADR and IEEE 2030.5.

    ``site_id``: one alone, default: every site that names a server.
    """

    task: ClassVar[str] = "ingest.limits.fetch"
    reply: ClassVar[type[Message]] = FetchLimitsReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(minutes=1), "limits", "time between two looks at the grid operator's events"
    )

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None


class SitePvReply(Message):
    """A PV forecast of one site from one service; without an instant it was not stored."""

    site_id: str
    forecast_version: str | None = None
    issued_at: Instant | None = None
    drives: Annotated[bool, Field(description="whether the plan uses it")] = False
    faults: list[str] = []


class FetchPvReply(Message):
    """One entry for each site and service that was due."""

    sites: list[SitePvReply]
    reached: Annotated[bool, Field(description="false: a service did not answer")] = True


class FetchPvRequest(Request):
    """Fetch PV forecasts that are due from the services that the owner has chosen.

    ``site_id``: one alone, default: every site with PV.
    """

    task: ClassVar[str] = "ingest.pv.fetch"
    reply: ClassVar[type[Message]] = FetchPvReply
    schedule: ClassVar[Schedule | None] = Schedule(
        timedelta(hours=1), "pv", "time between two looks at PV forecasts from outside"
    )

    site_id: Annotated[str | None, Field(min_length=1, max_length=64)] = None
