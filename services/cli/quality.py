"""``luna data quality``, ``gaps`` and ``repair``: whether history can be trusted, and what is done to it."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from luna.words import say_instant
from luna.words.quality import say_fault
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import unit_of_work
from services.cli.window import EndOption, FirstDayOption, FirstOption, LastDayOption, SiteOption, find_zone, parse_window

if TYPE_CHECKING:
    from luna.contracts.data import DayQuality

NO_GAPS = "No gaps: all that sensors, tariff or files ever told of is known."


def register(app: typer.Typer) -> None:
    """Add the commands to ``luna data``."""
    for name, command in (("quality", judge), ("gaps", gaps), ("repair", repair)):
        app.command(name)(command)


def judge(*, site: SiteOption, first: FirstDayOption, last: LastDayOption, as_json: JsonOption = False) -> None:
    """Judge local days: clean, mask_battery or exclude, with the reasons. What is excluded neither trains nor scores."""
    from luna.platform.clock import SystemClock
    from services.ingest.quality_service import judge_days

    with unit_of_work() as connection:
        days = judge_days(connection, site, first, last, now=SystemClock().now())
    document = {"site": site, "rows": [day.model_dump(mode="json") for day in days]}
    emit(document, as_json=as_json, show=lambda: _show_days(days))


def gaps(*, site: SiteOption, first: FirstOption, end: EndOption, as_json: JsonOption = False) -> None:
    """Show the slots in a row in which a series that the site has is unknown."""
    from services.ingest.repair import find_gaps

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        found = find_gaps(connection, site, *parse_window(connection, site, first, end))
    rows = [{"series": gap.series, "first": gap.first.isoformat(), "last": gap.last.isoformat(), "slots": gap.slots} for gap in found]
    cells = [[gap.series, say_instant(gap.first, zone), say_instant(gap.last, zone), str(gap.slots)] for gap in found]
    headings = ("series", "first", "last", "slots")
    emit({"site": site, "gaps": rows}, as_json=as_json, show=lambda: table(headings, cells, words=headings[:3], none=NO_GAPS))


def repair(
    *,
    site: SiteOption,
    first: FirstDayOption,
    last: LastDayOption,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and change nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Fill prices of zero that stand for missing ones, and short gaps in energies that came as slots. Zeros that the market or the tariff had are prices."""
    from luna.platform.clock import SystemClock
    from services.ingest.repair import repair_days

    with unit_of_work() as connection:
        repairs = repair_days(connection, site, (first, last), now=SystemClock().now(), dry_run=dry_run)
    rows = [{"series": repair.series, "day": repair.day.isoformat(), "rule": repair.rule, "slots": int(repair.starts.size)} for repair in repairs]
    document = {"site": site, "dry_run": dry_run, "slots": sum(repair.starts.size for repair in repairs), "repairs": rows}
    emit(document, as_json=as_json, show=lambda: _show_repairs(rows, dry_run=dry_run))


def _show_days(days: "list[DayQuality]") -> None:
    rows = [[day.day.isoformat(), day.verdict, "\n".join(say_fault(reason, language="en") for reason in day.reasons)] for day in days]
    table(("day", "verdict", "reasons"), rows, words=("verdict", "reasons"))
    counts = Counter(day.verdict for day in days)
    out.print(", ".join(f"{count} {verdict}" for verdict, count in counts.most_common()))


def _show_repairs(rows: list[dict[str, Any]], *, dry_run: bool) -> None:
    cells = [[str(cell) for cell in row.values()] for row in rows]
    table(("series", "day", "rule", "slots"), cells, words=("day", "rule"), none="There is nothing to repair.")
    if rows and dry_run:
        out.print("Nothing was changed: without --dry-run it is.")
