"""What stands in a stored site's plan where nothing is known, and what is known and stays unused."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from luna.contracts.forecast import DrivingVersion
from luna.contracts.plan import Assumption, NoteReply, PlanRequest
from luna.database import forecast_issues, observations, prices
from luna.database.forecast_status import describe_driving
from luna.database.forecasts import DrivingForecast
from luna.site import OWN_EXPORT, OWN_IMPORT, SeriesPrice, Site
from luna.timeline import SLOT, Timeline
from luna.wording import Language, Numbers
from services.planner.problem.knowledge import DAY
from services.planner.reply.reply import say_notes

HALF_FULL = 0.5
# A battery is told anew every quarter-hour; what is older than an hour may be another state by now.
FRESH_SOC = timedelta(hours=1)
DEFAULT_TARIFF = Site.model_fields["tariff"].default


class SeenSoc(NamedTuple):
    """A state of charge and the instant at which it held."""

    soc: float
    at: datetime


def find_soc(connection: Connection, site_id: str, start: datetime) -> SeenSoc | None:
    """Return the state of charge last recorded in the day before ``start``; None where none was."""
    day = Timeline(start - DAY, SLOT, DAY // SLOT)
    recent = observations.read(connection, site_id, day).soc
    seen = np.flatnonzero(np.isfinite(recent))
    return SeenSoc(float(recent[seen[-1]]), day.start + (int(seen[-1]) + 1) * SLOT) if seen.size else None


def list_assumptions(connection: Connection, site: Site, request: PlanRequest, *, driving: DrivingForecast, timeline: Timeline) -> list[Assumption]:
    """Return what stands in the plan of a stored site where nothing is known, and what is known of it and stays unused.

    Args:
        connection: to the database.
        site: a stored one.
        request: as it came; what it says itself is not assumed.
        driving: what load and PV are from.
        timeline: of the plan.
    """
    soc, tariff = _judge_soc(connection, site, request, timeline.start), _judge_tariff(connection, site, timeline)
    return _gather([*soc, *tariff, *_judge_forecast(connection, site, driving, timeline.start)])


def note_tariff(connection: Connection, site: Site, timeline: Timeline, *, language: Language = "en") -> list[NoteReply]:
    """Return what is to be said of what a stored site pays on a timeline: a tariff that it does not name, prices that were loaded and are not used."""
    return say_notes(_gather(_judge_tariff(connection, site, timeline)), Numbers(language, ZoneInfo(site.timezone), site.currency))


def _gather(found: Iterable[tuple[str, dict[str, object]]]) -> list[Assumption]:
    return [Assumption(code=code, figures=figures) for code, figures in found]


Found = Iterator[tuple[str, dict[str, object]]]


def _judge_soc(connection: Connection, site: Site, request: PlanRequest, start: datetime) -> Found:
    if not site.batteries or request.state.batteries:
        return
    seen = find_soc(connection, site.name, start)
    if seen is None:
        yield "soc_assumed", {"soc": HALF_FULL}
    elif start - seen.at > FRESH_SOC:
        yield "soc_earlier", {"soc": seen.soc, "at": seen.at.isoformat()}


def _judge_tariff(connection: Connection, site: Site, timeline: Timeline) -> Found:
    if site.tariff == DEFAULT_TARIFF:
        yield "tariff_default", {"import_price": DEFAULT_TARIFF.import_.price, "export_price": DEFAULT_TARIFF.export.price}
    # Those of the day before would be carried on.
    around = Timeline(timeline.start - DAY, SLOT, DAY // SLOT + timeline.count)
    rules = {OWN_IMPORT: site.tariff.import_, OWN_EXPORT: site.tariff.export}
    stored = {prices.stored_name(site.name, name): name for name, rule in rules.items() if not isinstance(rule, SeriesPrice)}
    known = prices.find_known(connection, stored, around) if stored else set()
    unused = [name for series, name in stored.items() if series in known]
    if unused:
        kinds = list(dict.fromkeys(rules[name].kind for name in unused))
        yield "prices_unused", {"series": [name.partition(":")[2] for name in unused], "kinds": kinds}


def _judge_forecast(connection: Connection, site: Site, driving: DrivingForecast, start: datetime) -> Found:
    forecast, active = driving.forecast, describe_driving(connection, site, at=start)
    if forecast.version != active.forecast_version:
        yield "forecast_fallback", {"active": active.forecast_version, "version": forecast.version, "issued_at": forecast.issued_at.isoformat()}
    elif driving.fallback_reason is not None:
        yield "forecast_old", {"version": forecast.version, "issued_at": forecast.issued_at.isoformat()}
    issue = forecast_issues.read_all(connection, site.name, version=forecast.version, first=forecast.issued_at, last=forecast.issued_at)
    for code in issue[0].reasons if issue else ():
        yield code, {}
    yield from _judge_waiting(active)


def _judge_waiting(active: DrivingVersion) -> Found:
    waiting = active.waiting
    if waiting is not None:
        code = "forecast_awaits_proof" if waiting.days < waiting.needed else "forecast_not_better"
        figures = {"candidate": waiting.forecast_version, "days": waiting.days, "needed": waiting.needed, "command": waiting.command}
        yield code, {"version": active.forecast_version, "earliest": waiting.earliest and waiting.earliest.isoformat()} | figures
