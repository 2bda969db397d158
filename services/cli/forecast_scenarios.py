"""``luna forecast scenarios``: joint courses of load, PV and prices beside a forecast."""

from datetime import tzinfo
from typing import Annotated

import numpy as np
import typer

from luna.contracts.forecast_explanation import IssueScenariosRequest
from luna.energy.outlook import Scenarios
from luna.platform.database.forecast_scenarios import describe
from luna.platform.desk.servers import open_object_store, unit_of_work
from luna.words import say_instant
from services.cli.console import JsonOption, emit, out, table
from services.cli.options import SiteOption, compose_request, find_zone, parse_site_instants

SAID = {
    "few_error_paths": "Fewer than two weeks of forecasts have met what happened: errors are taken to last as they usually do.",
    "few_prices": "Few prices are known: beyond the published ones, those of the last fortnight serve.",
    "no_prices": "Too few prices are known to say anything beyond the published ones.",
}


def register(app: typer.Typer) -> None:
    """Add the command to ``luna forecast``."""
    app.command("scenarios")(scenarios)


def scenarios(
    *,
    site: SiteOption,
    at: Annotated[str, typer.Option(help="Beside the forecast that was issued last within the hour before.")],
    count: Annotated[int, typer.Option(help="How many courses, 1 to 30.")] = 10,
    version: Annotated[str | None, typer.Option(help="aurora_v1.0 or a baseline (default: what drives the planner).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make and store a few joint courses of load, PV and prices, as errors have gone over time before; nothing known after the forecast is used."""
    from services.forecaster.scenarios.service import issue_requested

    with unit_of_work() as connection:
        request = compose_request(IssueScenariosRequest, site_id=site, **parse_site_instants(connection, site, at=at), count=count, forecast_version=version)
        zone = find_zone(connection, site)
        issued = issue_requested(connection, request, objects=open_object_store())
    document = issued.reply().model_dump(mode="json") | {"paths": describe(issued.scenarios)}
    emit(document, as_json=as_json, show=lambda: _show(issued.scenarios, zone))


def _show(made: Scenarios, zone: tzinfo) -> None:
    hours = made.timeline.count / 4
    out.print(f"{made.version} issued {say_instant(made.issued_at, zone)}: {made.probability.size} courses of the next {hours:.0f} hours")
    rows = [
        [str(path + 1), f"{made.probability[path]:.0%}", f"{made.load_kwh[path].sum():.1f}", f"{made.pv_kwh[path].sum():.1f}", *_prices(made, path)]
        for path in np.argsort(-made.probability, kind="stable")
    ]
    table(["course", "probability", "load kWh", "PV kWh", *(f"mean price {market}" for market in made.spot_price)], rows)
    for reason in made.reasons:
        out.print(SAID[reason])


def _prices(made: Scenarios, path: int) -> list[str]:
    known = (paths[path][np.isfinite(paths[path])] for paths in made.spot_price.values())
    return [f"{price.mean():.4f}" if price.size else "–" for price in known]
