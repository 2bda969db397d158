"""``luna data backfill`` and ``luna data verify``: the past out of Home Assistant, and whether it is what Home Assistant counted."""

import math
from datetime import timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import typer

from luna.words import say_instant
from services.cli.console import JsonOption, emit, follow_progress, out, table
from services.cli.storage import open_database
from services.cli.window import EndOption, FirstOption, SiteOption, find_zone, parse_window

if TYPE_CHECKING:
    from luna.contracts.data import BackfillReply
    from services.ingest.verification import DayDifference


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command()(backfill)
    app.command()(verify)


def backfill(*, site: SiteOption, first: FirstOption, end: EndOption, as_json: JsonOption = False) -> None:
    """Read what the site's sensors said out of Home Assistant and build the slots; interrupted, it goes on where it was."""
    from luna.contracts.data import BackfillRequest
    from luna.platform.clock import SystemClock
    from luna.platform.database import engine
    from luna.platform.settings import load_settings
    from services.ingest.backfill import backfill_site
    from services.ingest.sources.home_assistant import HomeAssistantAccess, HomeAssistantHistory

    access = HomeAssistantAccess.of(load_settings())
    with open_database() as pool, HomeAssistantHistory.connect(access) as source, follow_progress("Reading") as progress:
        with engine.unit_of_work(pool) as connection:
            zone, window = find_zone(connection, site), parse_window(connection, site, first, end)
        request = BackfillRequest(site_id=site, first=window[0], end=window[1])
        reply = backfill_site(pool, source, request, clock=SystemClock(), progress=progress)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply, zone))


def verify(*, site: SiteOption, first: FirstOption, end: EndOption, as_json: JsonOption = False) -> None:
    """Compare the stored slots with what Home Assistant counted, per local day; what is beyond rounding is marked."""
    from luna.platform.database import engine
    from luna.platform.settings import load_settings
    from services.ingest.sources.home_assistant import HomeAssistantAccess, HomeAssistantHistory
    from services.ingest.verification import verify_days

    access = HomeAssistantAccess.of(load_settings())
    with open_database() as pool, HomeAssistantHistory.connect(access) as source:
        with engine.unit_of_work(pool) as connection:
            zone, (begin, until) = find_zone(connection, site), parse_window(connection, site, first, end)
        last = until - timedelta(microseconds=1)
        days = verify_days(pool, source, site, first=begin.astimezone(zone).date(), last=last.astimezone(zone).date())
    emit({"site": site, "days": [_describe(day) for day in days]}, as_json=as_json, show=lambda: _show_days(days))


def _show(reply: "BackfillReply", zone: tzinfo) -> None:
    rows = [[sensor.sensor, sensor.role, f"{sensor.readings:,}", f"{sensor.unknown:,}", f"{sensor.rows_written:,}"] for sensor in reply.sensors]
    table(["sensor", "role", "readings", "unknown", "new or changed"], rows, words=["role"])
    if reply.left_out:
        out.print(f"Without a past in Home Assistant, being none of its sensors: {', '.join(reply.left_out)}.", markup=False)
    slots = reply.slots
    span = f"Built from {say_instant(slots.first, zone)} to {say_instant(slots.end, zone)}"
    out.print(f"{span}: {slots.slots_written:,} quarter-hours new or changed, {slots.quarantined:,} entries in quarantine.")
    for day in slots.kept:
        said = f"{day.day}: {day.series} was {day.before_kwh:.2f} kWh and would be {day.after_kwh:.2f} kWh; the stored day stays."
        out.print(f"{said} Where the new one is right: luna data slots --accept.", markup=False)


def _describe(day: "DayDifference") -> dict[str, Any]:
    share = None if math.isnan(day.difference_share) else round(day.difference_share, 6)
    energies = {"source_kwh": round(day.source_kwh, 6), "stored_kwh": round(day.stored_kwh, 6), "difference_kwh": round(day.difference_kwh, 6)}
    hours = {"hours": day.hours, "day_hours": day.day_hours}
    return {"day": day.day.isoformat(), "series": day.series, **energies, "difference_share": share, **hours, "beyond_tolerance": day.beyond}


def _show_days(days: "list[DayDifference]") -> None:
    rows = [
        [
            day.day.isoformat(),
            day.series,
            f"{day.source_kwh:.2f}",
            f"{day.stored_kwh:.2f}",
            f"{day.difference_kwh:+.2f}",
            "–" if math.isnan(day.difference_share) else f"{day.difference_share:+.1%}",
            f"{day.hours}/{day.day_hours}",
            "beyond" if day.beyond else "",
        ]
        for day in days
    ]
    table(["day", "series", "source", "stored", "kWh", "%", "hours", ""], rows, words=["series", ""])
