"""Judging days: fetch, judge, store. Tasks and commands both come through here, and whoever wrote slots."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from luna.contracts.quality import DayQuality, JudgeQualityReply, JudgeQualityRequest, SiteQuality
from luna.database import quality, sites
from luna.observations import SERIES
from luna.site import Site
from luna.timeline import parse_zone
from services.ingest.quality import APART, DayRecord, Span, expect_series, judge_day
from services.ingest.stored_days import StoredDays, market_of, read_days

JUDGED = (*SERIES, "residual_kwh", *APART)
# Readings that come days late change what was judged.
RECENT_DAYS = 7


def judge_days(connection: Connection, site_id: str, first: date, last: date, *, now: datetime) -> list[DayQuality]:
    """Judge the local days from ``first`` to ``last`` and store the verdicts; a day that has not ended is said to be open, and not stored.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window ends before it begins.
    """
    site = sites.load(connection, site_id)
    spans = _read_spans(connection, site)
    judged = [day for stored in read_days(connection, site, first, last, names=JUDGED) for day in _judge(connection, stored, spans, now)]
    quality.save(connection, site_id, [day for day in judged if day.day < now.astimezone(parse_zone(site.timezone)).date()])
    return judged


def judge_quality(connection: Connection, request: JudgeQualityRequest, *, now: datetime) -> JudgeQualityReply:
    """Judge what the request names.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the window ends before it begins.
    """
    judged = []
    for site_id in [request.site_id] if request.site_id else sites.names(connection):
        today = now.astimezone(parse_zone(sites.load(connection, site_id).timezone)).date()
        last = request.to_day or today - timedelta(days=1)
        first = request.from_day or last - timedelta(days=RECENT_DAYS - 1)
        judged.append(SiteQuality(site_id=site_id, days=judge_days(connection, site_id, first, last, now=now)))
    return JudgeQualityReply(sites=judged)


def judge_slots(connection: Connection, site_id: str, first: datetime, end: datetime, *, now: datetime) -> list[DayQuality]:
    """Judge again the days of the slots that were written: those from ``first`` on, before ``end``."""
    zone = parse_zone(sites.load(connection, site_id).timezone)
    days = [instant.astimezone(zone).date() for instant in (first, end - timedelta(microseconds=1))]
    return judge_days(connection, site_id, *days, now=now)


def _judge(connection: Connection, stored: StoredDays, spans: Mapping[str, Span], now: datetime) -> Iterator[DayQuality]:
    repaired = quality.read_repaired(connection, stored.site.name, stored.timeline)
    for day, slots, place in stored:
        if slots.end > now:
            yield DayQuality(day=day, verdict="exclude", reasons=["open: the day has not ended"])
            continue
        series = {name: values[place] for name, values in stored.series.items()}
        prices = {name: record.on(place) for name, record in stored.prices.items()}
        expected = expect_series(spans, stored.site, slots)
        yield judge_day(DayRecord(day, series, repaired[place], prices, expected), stored.site)


def _read_spans(connection: Connection, site: Site) -> dict[str, Span]:
    """Return since and until when each series was known; a price also where its market was."""
    spans = quality.read_spans(connection, site.name)
    for name, rule in (("import_price", site.tariff.import_), ("export_price", site.tariff.export)):
        market = market_of(rule)
        found = [span for span in (spans.get(name), market and quality.read_market_span(connection, market)) if span]
        spans |= {name: (min(first for first, _ in found), max(end for _, end in found))} if found else {}
    return spans
