"""What is stored of forecasts, as their page says and draws it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from markupsafe import Markup

from luna.contracts.forecast_versions import ForecastStatus, ShadowRecord, VersionRecord
from luna.energy.timeline import SLOT, floor_to
from luna.platform.database.forecasts import FRESH
from luna.words import Numbers
from luna.words.charts import ForecastView, draw_forecast
from luna.words.charts.forecast import say_notes
from luna.words.pages import PageWords

PER_HOUR = timedelta(hours=1) / SLOT
HOURS_AHEAD = 48
# Less than this adds nothing that a reader would see.
LEAST_KW = 0.005


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version beside the others, in words."""

    version: str
    name: str
    drives: bool
    cells: Sequence[str]


@dataclass(frozen=True, slots=True)
class LastForecast:
    """The last issue of the version that drives, and until when it looks ahead; None where it holds nothing."""

    issued_at: datetime
    reach: datetime | None

    @property
    def hours(self) -> int:
        """How many whole hours it looks ahead."""
        return 0 if self.reach is None else int((self.reach - floor_to(self.issued_at, SLOT)) / timedelta(hours=1))


@dataclass(frozen=True)
class ForecastsView:
    """What drives, how old it is, and how good all versions were."""

    status: ForecastStatus
    last: LastForecast | None
    now: datetime
    chosen: datetime | None
    numbers: Numbers
    words: PageWords

    @property
    def headline(self) -> str:
        """The first sentence of the page."""
        return self.words("headline", version=self.say_version(self.status.active_forecast_version))

    @property
    def stale(self) -> bool:
        """Whether that is too long ago to plan from."""
        return self.last is not None and self.now - self.last.issued_at > FRESH

    @property
    def partial_hours(self) -> int | None:
        """How far it looks where that is less than what is planned; None: far enough, or nothing is known."""
        return self.last.hours if self.last is not None and self.last.reach is not None and self.last.hours < HOURS_AHEAD - 1 else None

    @property
    def freshness(self) -> str:
        """How old the forecast is that drives, and how far it looks; empty where there is none."""
        if self.last is None:
            return ""
        issued = self.last.issued_at
        age = self.now - issued
        if self.stale:
            return self.words("stale", hours=int(age / timedelta(hours=1)), at=self.say_instant(issued))
        return self.words("fresh", minutes=int(age / timedelta(minutes=1)), at=self.numbers.clock(issued), hours=self.last.hours)

    @property
    def shadow(self) -> ShadowRecord | None:
        """How all versions did over the longest span that was scored."""
        return self.status.shadow[-1] if self.status.shadow else None

    def rows(self) -> list[VersionRow]:
        """Every version that was scored, the one that drives first."""
        active = self.status.active_forecast_version
        found = self.shadow.versions if self.shadow else {}
        ordered = sorted(found.items(), key=lambda each: (each[0] != active, each[0]))
        return [VersionRow(name, self.say_version(name).rstrip(","), name == active, self._say_record(record)) for name, record in ordered]

    def _say_record(self, record: VersionRecord) -> list[str]:
        load, pv = record.series.get("load_kwh"), record.series.get("pv_kwh")
        within = [series.coverage_80 for series in (load, pv) if series is not None and series.coverage_80 is not None]
        return [
            *(self.numbers.power(None if series is None else series.mae * PER_HOUR, decimals=2) for series in (load, pv)),
            " · ".join(self.numbers.share(share) for share in within) or "–",
            self.numbers.money(record.regret_per_day),
            str(max((series.days for series in record.series.values()), default=0)),
        ]

    @property
    def times(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """The hours ahead by local day: instant, clock time, whether it is the one chosen."""
        first = floor_to(self.now, SLOT)
        wanted = [first + timedelta(hours=hour) for hour in range(HOURS_AHEAD)]
        wanted += [self.chosen] if self.chosen is not None and self.chosen not in wanted else []
        days: dict[str, list[tuple[str, str, bool]]] = {}
        for instant in sorted(wanted):
            local = instant.astimezone(self.numbers.zone)
            days.setdefault(self.numbers.day(instant), []).append((local.isoformat(), self.numbers.clock(instant), instant == self.chosen))
        return list(days.items())

    def say_version(self, version: str) -> str:
        """Return what a version is called; one without words stays as it is."""
        known = f"version_{version}"
        return self.words("version_" + version) if self.words.knows(known) else version

    def say_instant(self, instant: datetime) -> str:
        """Return a local day and clock time."""
        return f"{self.numbers.day(instant)}, {self.numbers.clock(instant)}"

    def say_day(self, day: date) -> str:
        """Return a local day."""
        return self.numbers.day(datetime.combine(day, time(12), self.numbers.zone))


def draw_explained(view: ForecastView, *, label: str) -> dict[str, Any]:
    """Return the drawings of a forecast, wide and narrow, and the notes below them."""
    return {"charts": [_frame(view, label, narrow=narrow) for narrow in (False, True)], "notes": say_notes(view)}


def _frame(view: ForecastView, label: str, *, narrow: bool) -> Markup:
    chart, height = draw_forecast(view, narrow=narrow)
    size = ("narrow" if narrow else "wide", 358 if narrow else 976, f"{height:.1f}", label)
    return Markup('<svg class="chart forecast {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(*size, chart)
