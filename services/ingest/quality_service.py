"""Judging of local days by the quality of their data, for tasks, commands and writers of slots."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, Engine

from luna.contracts.data import DayQuality, JudgeQualityReply, JudgeQualityRequest, SiteQuality
from luna.energy.day_fault import DayFault
from luna.energy.observations import ESTIMABLE, SERIES
from luna.energy.site import SUBMETERED, Site
from luna.energy.timeline import SLOT, Timeline, local_days, parse_zone, to_instant
from luna.house.silent_sensors import find_silent, find_unreported, list_several
from luna.platform.database import observations, quality, quarantine, readings, recorded_span, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.database.prices import StoredSeries
from services.ingest.balance import (
    BALANCED,
    LEAST_COVERAGE,
    USUAL_DAYS,
    Imbalance,
    UsualImbalance,
    learn_usual,
    measure_imbalance,
    settle_residual,
)
from services.ingest.day_reader import PART_DAYS, StoredDays, market_of, read_days
from services.ingest.day_verdict import REFUSALS, DayRecord, Span, expect_series, judge_day
from services.ingest.metering.column_sensors import ROLES
from services.ingest.rebuild import REBUILT

JUDGED = (*SERIES, "residual_kwh", "beyond_house_kwh", *SUBMETERED)
# Readings that come days late change earlier verdicts.
RECENT_DAYS = 7
# A rejection lasts at most as long as the slots that are built together, a month.
LONGEST_REFUSED = timedelta(days=40)


def judge_days(
    connection: Connection, site_id: str, first: date, last: date, *, now: datetime
) -> list[DayQuality]:
    """Judge the local days from ``first`` to ``last`` and store the verdicts.

    A day that has not ended gets the fault ``open``, and is not stored.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is reversed.
    """
    return _judge_site(connection, sites.load(connection, site_id), first, last, now=now)


def _judge_site(
    connection: Connection, site: Site, first: date, last: date, *, now: datetime
) -> list[DayQuality]:
    spans = recorded_span.of_series(connection, site.name)
    for name, rule in (("import_price", site.tariff.import_), ("export_price", site.tariff.export)):
        # A price is known where its own series or its market's is.
        market = market_of(rule)
        if not market:
            continue
        market_span = recorded_span.of_market(connection, StoredSeries(market, site.currency))
        own_span = spans.get(name)
        if own_span and market_span:
            first_known = min(own_span[0], market_span[0])
            spans[name] = (first_known, max(own_span[1], market_span[1]))
        elif market_span:
            spans[name] = market_span
    today = _today(site, now)
    judged: list[DayQuality] = []
    for stored in read_days(connection, site, first, last, names=JUDGED):
        days = list(_judge(connection, stored, spans, now))
        quality.save(connection, site.name, [day for day in days if day.day < today])
        judged += days
    return judged


def judge_quality(
    connection: Connection, request: JudgeQualityRequest, *, now: datetime
) -> JudgeQualityReply:
    """Judge the requested sites and days.

    Without days the last week, and up to a year of earlier days written since they were judged.

    Days before the site's first data are left out.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is reversed.
    """
    if request.site_id:
        requested = [sites.load(connection, request.site_id)]
    else:
        requested = list(sites.load_all(connection).sites)
    judged = []
    for site in requested:
        last = request.to_day or _today(site, now) - timedelta(days=1)
        first = request.from_day or last - timedelta(days=RECENT_DAYS - 1)
        days: list[DayQuality] = []
        if not request.from_day:
            days += _judge_overdue(connection, site, first, now)
        begin = first if first > last else max(first, recorded_span.first_day(connection, site))
        # A reversed window is refused; one before the first data is empty.
        if first > last or begin <= last:
            days += judge_days(connection, site.name, begin, last, now=now)
        judged.append(SiteQuality(site_id=site.name, days=days))
    return JudgeQualityReply(sites=judged)


def _judge_overdue(
    connection: Connection, site: Site, before: date, now: datetime
) -> list[DayQuality]:
    """Judge earlier days with data written since their last verdict, a year at most."""
    span = recorded_span.of_site(connection, site.name)
    if span is None:
        return []
    earliest, latest = _days_of(site, *span)
    latest = min(latest, before - timedelta(days=1))
    overdue = quality.first_unjudged(connection, site.name, earliest, latest)
    if overdue is None:
        return []
    end = min(latest, overdue + timedelta(days=PART_DAYS - 1))
    return judge_days(connection, site.name, overdue, end, now=now)


def judge_each(engine: Engine, request: JudgeQualityRequest, *, now: datetime) -> JudgeQualityReply:
    """Judge the requested sites, each in a transaction of its own.

    After a timeout the verdicts so far stay.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window is reversed.
    """
    names = [request.site_id] if request.site_id else []
    if not names:
        with unit_of_work(engine) as connection:
            names = [site.name for site in sites.load_all(connection).sites]
    judged: list[SiteQuality] = []
    for name in names:
        of_site = request.model_copy(update={"site_id": name})
        with unit_of_work(engine) as connection:
            judged += judge_quality(connection, of_site, now=now).sites
    return JudgeQualityReply(sites=judged)


def judge_later(connection: Connection, site: Site, first: datetime, end: datetime) -> None:
    """Drop the verdicts of the days of written slots, from ``first`` on, before ``end``.

    The scheduled task judges them again.
    """
    quality.forget(connection, site.name, *_days_of(site, first, end))


def judge_slots(
    connection: Connection, site: Site, first: datetime, end: datetime, *, now: datetime
) -> list[DayQuality]:
    """Judge the ended days of written slots again, from ``first`` on, before ``end``."""
    begin, last = _days_of(site, first, end)
    last = min(last, _today(site, now) - timedelta(days=1))
    return _judge_site(connection, site, begin, last, now=now) if begin <= last else []


def _today(site: Site, now: datetime) -> date:
    return now.astimezone(parse_zone(site.timezone)).date()


def _days_of(site: Site, first: datetime, end: datetime) -> tuple[date, date]:
    zone = parse_zone(site.timezone)
    return first.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()


def _judge(
    connection: Connection, stored: StoredDays, spans: Mapping[str, Span], now: datetime
) -> Iterator[DayQuality]:
    site = stored.site
    repaired = quality.read_repaired(connection, site.name, stored.timeline)
    marks = quality.read_estimated(connection, site.name, stored.timeline)
    estimated = {name: marks >> bit & 1 > 0 for bit, name in enumerate(ESTIMABLE)}
    lines = (
        int(stored.timeline.start.timestamp()) * 1_000_000,
        int(stored.timeline.end.timestamp()) * 1_000_000,
    )
    several = list_several(site)
    sensor_spans: Mapping[str, Span] = {}
    if several:
        sensor_spans = readings.read_spans(connection, site.name, several, now=now)
    rebuilt: dict[str, list[tuple[str, float, float]]] = {}
    for row in quarantine.list_open(connection, site.name, source=REBUILT, lines=lines):
        change = (row.raw["series"], row.raw["before_kwh"], row.raw["after_kwh"])
        rebuilt.setdefault(row.raw["day"], []).append(change)
    refused = _read_refused(connection, stored, lines)
    imbalances = _measure_imbalances(connection, stored, spans)
    for day, slots, place in stored:
        if slots.end > now:
            yield DayQuality(day=day, verdict="exclude", faults=[DayFault("open")])
            continue
        # Only measured values are judged.
        series = {}
        for name, values in stored.series.items():
            series[name] = np.where(estimated[name][place], np.nan, values[place])
        silent = _find_quiet(site, sensor_spans, slots)
        alone = _find_alone(site, sensor_spans, slots)
        already_named = {(name, sensor) for name, sensor, _ in silent}
        silent += [(*named, None) for named in alone if named not in already_named]
        record = DayRecord(
            day=day,
            series=series,
            repaired=repaired[place],
            prices={name: prices.on(place) for name, prices in stored.prices.items()},
            expected=expect_series(spans, site, slots),
            estimated={name: int(mask[place].sum()) for name, mask in estimated.items()},
            rebuilt=rebuilt.get(day.isoformat(), ()),
            silent=silent,
            usual=_learn_usual_around(day, imbalances),
            refused=_count_refused(refused, slots),
            alone=alone,
        )
        yield judge_day(record, site)


def _measure_imbalances(
    connection: Connection, stored: StoredDays, spans: Mapping[str, Span]
) -> dict[date, Imbalance]:
    """Return the imbalances of all days that the usual imbalance of a stored day may need."""
    site = stored.site
    first = stored.first - timedelta(days=USUAL_DAYS)
    last = stored.last + timedelta(days=USUAL_DAYS)
    timeline = local_days(first, last, parse_zone(site.timezone))
    balanced = observations.read_measured(connection, site.name, timeline, BALANCED)
    imbalances: dict[date, Imbalance] = {}
    for day, slots, place in StoredDays(
        site=site, first=first, last=last, timeline=timeline, series=balanced, prices={}
    ):
        measured = {name: values[place] for name, values in balanced.items()}
        residual = settle_residual(measured, expect_series(spans, site, slots), site)
        if np.isfinite(residual).sum() >= LEAST_COVERAGE * residual.size:
            imbalances[day] = measure_imbalance(residual, measured)
    return imbalances


def _learn_usual_around(day: date, imbalances: Mapping[date, Imbalance]) -> UsualImbalance | None:
    around = []
    for days in range(-USUAL_DAYS, USUAL_DAYS + 1):
        other = day + timedelta(days=days)
        if days and other in imbalances:
            around.append(imbalances[other])
    return learn_usual(around)


def _find_quiet(
    site: Site, sensor_spans: Mapping[str, Span], slots: Timeline
) -> list[tuple[str, str, date | None]]:
    """Return series with a sensor silent since before the day, or ever, while others reported."""
    zone = parse_zone(site.timezone)
    last_start = slots.end - SLOT
    silences = find_silent(site, sensor_spans, at=last_start, after=last_start - slots.start)
    quiet = []
    for silence in silences:
        since = silence.since.astimezone(zone).date() if silence.since else None
        quiet.append((silence.series, silence.sensor.name, since))
    return quiet


def _find_alone(
    site: Site, sensor_spans: Mapping[str, Span], slots: Timeline
) -> list[tuple[str, str]]:
    """Return the series with a sensor that never reported."""
    unreported = find_unreported(site, sensor_spans, slots.start, slots.end)
    sensors = site.sensor_roles
    alone = []
    for series, role in ROLES.items():
        names = [sensor.name for sensor in sensors.get(role, ()) if sensor.name in unreported]
        alone += [(series, name) for name in names]
    return alone


def _count_refused(
    refused: Sequence["_RefusedReadings"], slots: Timeline
) -> list[tuple[str, str, int]]:
    """Return the number of refused readings that reach into a day, by sensor and fault."""
    begin = to_instant(slots.start)
    end = to_instant(slots.end)
    counts: Counter[tuple[str, str]] = Counter()
    for run in refused:
        if run.first < end and run.last >= begin:
            counts[run.sensor, run.code] += run.readings
    return [(sensor, code, count) for (sensor, code), count in counts.items()]


class _RefusedReadings(NamedTuple):
    """A run of a sensor's readings that were refused for a reason."""

    sensor: str
    code: str
    first: np.datetime64
    last: np.datetime64
    readings: int


def _read_refused(
    connection: Connection, stored: StoredDays, lines: tuple[int, int]
) -> list[_RefusedReadings]:
    """Return the refused readings that reach into the days.

    They begin no earlier than a stretch of slots that are built together.
    """
    earliest = lines[0] - int(LONGEST_REFUSED / timedelta(microseconds=1))
    rows = quarantine.list_refused_readings(
        connection, stored.site.name, codes=REFUSALS, lines=(earliest, lines[1])
    )
    refused = []
    for row in rows:
        first = _instant(row.raw["instant"])
        last = _instant(row.raw["until"])
        refused.append(
            _RefusedReadings(
                sensor=row.raw["sensor"],
                code=row.fault.code,
                first=first,
                last=last,
                readings=int(row.raw["readings"]),
            )
        )
    return refused


def _instant(text: str) -> np.datetime64:
    return np.datetime64(text.removesuffix("Z"), "us")
