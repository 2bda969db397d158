"""``luna forecast explain`` and ``plot``: why a forecast is what it is, in words and as a picture."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from luna.contracts.forecast_explanation import ExplainReply, ExplainRequest, SlotExplanation
from luna.contracts.forecast_view import view_explained
from luna.energy.errors import InvalidInputError
from luna.platform.database import forecasts, observations, sites
from luna.platform.desk.servers import open_object_store, unit_of_work
from luna.platform.written_files import make_writable, write_whole
from luna.words import Language, Numbers
from luna.words.charts import ForecastView, draw_forecast_page, draw_forecast_picture
from luna.words.differences import LEAST_KW
from luna.words.phrases import read_texts
from services.cli.console import JsonOption, emit, out, table
from services.cli.options import compose_request, parse_site_instants

SiteOption = Annotated[str, typer.Option("--site", help="The site's name.")]
AtOption = Annotated[str, typer.Option(help="The forecast that stood at this instant: the last one issued by then.")]
VersionOption = Annotated[str | None, typer.Option(help="aurora_v1.0 or a baseline (default: what drives the planner; where that issued nothing, Aurora).")]
LanguageOption = Annotated[Language, typer.Option(help="Language of the words.")]
HEADINGS = ("time", "load", "usual", "why", "pv", "usual", "why")
USUAL_VERSION = "baseline_7_day_avg"


def register(app: typer.Typer) -> None:
    """Add the command to ``luna forecast``."""
    app.command("plot")(plot)


def plot(
    *,
    site: SiteOption,
    at: AtOption,
    to: Annotated[Path, typer.Option("--out", help="Where the picture goes: FILE.svg or FILE.html.")],
    version: VersionOption = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Draw a forecast: the fan of its quantiles beside what is usual and, where it is known, what happened. Pointing at a slot says why."""
    if to.suffix not in (".svg", ".html"):
        raise InvalidInputError("no kind of picture", field="--out", value=str(to), remedy="Name a file that ends in .svg or .html.")

    make_writable(to.parent)
    with unit_of_work() as connection:
        instants = parse_site_instants(connection, site, at=at)
        request = compose_request(ExplainRequest, site_id=site, **instants, forecast_version=version, language=language)
        view = _look(connection, request)
    write_whole(to, draw_forecast_picture(view) if to.suffix == ".svg" else draw_forecast_page(view))
    document = {"file": str(to), "forecast_version": view.version, "issued_at": view.issued_at.isoformat()}
    emit(document, as_json=as_json, show=lambda: out.print(f"Drawn: {to}"))


def _look(connection: Connection, request: ExplainRequest) -> ForecastView:
    """Return a forecast ready to be drawn."""
    from services.forecaster.explanation import service

    reply = service.explain_forecast(connection, request, objects=open_object_store())
    site, issued = sites.load(connection, request.site_id), reply.issued_at
    forecast = forecasts.read_all(connection, request.site_id, version=reply.forecast_version, first=issued, last=issued)[0]
    happened = observations.read(connection, request.site_id, forecast.timeline)
    return view_explained(site, reply, forecast, happened, numbers=Numbers(request.language, ZoneInfo(site.timezone), site.currency))


def show_explanation(reply: ExplainReply, numbers: Numbers) -> None:
    """Print why a forecast is what it is, hour by hour, or of one quarter-hour all reasons."""
    out.print(f"{reply.forecast_version}, {numbers.day(reply.issued_at)} {numbers.clock(reply.issued_at)} ({reply.timezone})")
    for condition in reply.conditions:
        out.print(condition)
    if reply.forecast_version == USUAL_VERSION and "no_history" not in reply.reasons:
        out.print(read_texts("forecast_command", numbers.language)["the_usual"])
    if len(reply.slots) == 1:
        _show_slot(reply.slots[0], numbers)
    else:
        hourly = [slot for slot in reply.slots if slot.start.astimezone(numbers.zone).minute == 0]
        words = read_texts("forecast_command", numbers.language)
        headings = [words[f"head_{name}"] for name in HEADINGS]
        table(headings, [_row(slot, numbers) for slot in hourly], words=headings)


def _show_slot(slot: SlotExplanation, numbers: Numbers) -> None:
    words = read_texts("forecast_command", numbers.language)
    for name, series in (("load", slot.load), ("pv", slot.pv)):
        out.print(f"\n[bold]{words[name]}, {numbers.weekday(slot.start)} {numbers.clock(slot.start)}[/]: {series.text}")
        for contribution in series.contributions:
            if abs(contribution.kw) >= LEAST_KW:
                out.print(f"  {contribution.text}")


def _row(slot: SlotExplanation, numbers: Numbers) -> list[str]:
    cells = [f"{numbers.weekday(slot.start)} {numbers.clock(slot.start)}"]
    for series in (slot.load, slot.pv):
        largest = next((each.text for each in series.contributions if abs(each.kw) >= LEAST_KW), "")
        cells += [numbers.power(series.expected_kw, decimals=2), numbers.power(series.usual_kw, decimals=2), largest]
    return cells
