"""``luna site``: which sites there are."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import unit_of_work

app = typer.Typer(help="Add and list sites.", no_args_is_help=True)


@app.command()
def add(
    file: Annotated[Path, typer.Option("--file", help="The site's YAML file; config/site.yaml documents every field.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Store a site; one of the same name takes the new configuration and keeps the old as a version."""
    from luna.database import sites
    from luna.site import load_site

    site = load_site(file)
    with unit_of_work() as connection:
        sites.save(connection, site)
    emit({"site": site.name}, as_json=as_json, show=lambda: out.print(f"Site {site.name} is stored."))


@app.command("list")
def list_sites(*, as_json: JsonOption = False) -> None:
    """Show every site with its parts."""
    from luna.database import sites

    with unit_of_work() as connection:
        stored = [sites.load(connection, name) for name in sites.names(connection)]
    rows = [
        [site.name, site.timezone, f"{sum(battery.capacity_kwh for battery in site.batteries):g} kWh", f"{sum(array.peak_kw for array in site.pv):g} kW"]
        for site in stored
    ]
    emit(
        {"sites": [site.model_dump(mode="json", by_alias=True) for site in stored]},
        as_json=as_json,
        show=lambda: table(["site", "timezone", "batteries", "PV"], rows),
    )
