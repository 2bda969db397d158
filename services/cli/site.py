"""``luna site``: which sites there are, and which defaults of a site's file cost money."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import yaml

from luna.drivers.profiles import require_profiles
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.kind import DeviceKind
from luna.energy.part import Part
from luna.energy.refusals import refuse
from luna.energy.site import Site, SpotPrice, parse_site
from luna.energy.site.sensor_changes import ChangedSensors
from luna.energy.timeline import parse_zone
from luna.house.capabilities.sites import list_sites
from luna.house.desk.desk import read_sites
from luna.house.desk.servers import unit_of_work
from luna.platform.clock import SystemClock
from luna.platform.database import site_changes, sites
from luna.platform.settings import load_settings
from luna.words import say_instant
from luna.words.catalogue import ENGLISH
from luna.words.devices import DEFAULTS
from services.cli.console import JsonOption, emit, out, report, write_text
from services.cli.declared import build_group, emit_reply, open_desk
from services.cli.options import SiteOption, confirm_differences

app = build_group("site", "Add, list, show and remove sites.", by_hand=frozenset({"list"}))


@app.command()
def add(
    file: Annotated[
        Path,
        typer.Option("--file", help="The site's YAML file; config/site.yaml explains every field."),
    ],
    *,
    changed_sensors: Annotated[
        ChangedSensors,
        typer.Option(
            help=("Apply a sensor's new sign or role from now on, or to its past as well.")
        ),
    ] = "from-now",
    accept_time_zone: Annotated[
        bool,
        typer.Option(
            "--accept-time-zone",
            help=("Accept another time zone; it moves the days of recorded data."),
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Store without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add a site, or change it after showing the differences.

    Old versions are kept. It names each default that costs money.
    """
    site = load_site(file)
    require_profiles(site, load_settings().data_folder)
    with unit_of_work() as connection:
        change = site_changes.prepare(
            connection,
            site,
            now=SystemClock().now(),
            changed_sensors=changed_sensors,
            accept_time_zone=accept_time_zone,
        )
        change.require_same_clock()
        differences = confirm_differences(connection, change.site, yes=yes, quiet=as_json)
        site_changes.store(connection, change)
    defaults = list_defaults(site)
    document = {
        "site": site.name,
        "defaults": [default._asdict() for default in defaults],
        "changed_sensors": [sensor._asdict() for sensor in change.sensors],
        "differences": [difference._asdict() for difference in differences],
    }

    def show_both() -> None:
        out.print(f"Site {site.name} is stored.")
        if defaults:
            out.print("These defaults affect your cost. Correct them in the site's file:")
        for default in defaults:
            write_text(f"  {default.field}: {_say_default(default)}, {default.means}")
        for sensor in change.sensors:
            name = sensor.sensor
            if sensor.instead_of:
                name = f"{name}, until now {', '.join(sensor.instead_of)},"
            after = ", ".join(sensor.after)
            before = ", ".join(sensor.before)
            write_text(
                f"{name} counts as {after} from now on and as "
                f"{before} before; the site keeps both with their times."
            )
        if change.sensors:
            write_text(
                "If it was always so: luna site add --file FILE --changed-sensors always, "
                "then luna data slots for its past."
            )

    emit(document, as_json=as_json, show=show_both)


@app.command("list")
def list_all(*, as_json: JsonOption = False) -> None:
    """List all sites, and those that this version cannot read."""
    with open_desk() as desk:
        emit_reply(list_sites, read_sites(desk), as_json=as_json)


@app.command()
def show(*, site: SiteOption, as_json: JsonOption = False) -> None:
    """Show a site in the form of its file."""
    with unit_of_work() as connection:
        stored = sites.find(connection, site)
    if isinstance(stored, sites.UnreadableSite):
        document = stored.configuration
        zone = parse_zone("UTC")
        report(stored.error, as_json=as_json)
    else:
        document = stored.site.model_dump(mode="json", by_alias=True)
        zone = parse_zone(stored.site.timezone)
    head = f"# {site}, version {stored.version}, since {say_instant(stored.saved_at, zone)}"
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    show = partial(out.print, f"{head}\n{text}", markup=False, soft_wrap=True, end="")
    emit(document, as_json=as_json, show=show)


def _say_default(default: "CostlyDefault") -> str:
    if default.value is None:
        return "none"
    if isinstance(default.value, float):
        return f"{default.value:g}"
    return str(default.value).lower()


def load_site(path: Path) -> Site:
    """Read a site from a YAML file.

    Raises:
        InvalidInputError: the file is missing, malformed, or describes no valid site.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise refuse("file-unreadable", field=str(path), why=exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise refuse("file-no-text", field=str(path)) from exc
    except yaml.YAMLError as exc:
        raise refuse("file-no-yaml", field=str(path), why=exc) from exc
    return parse_site(document, field=str(path))


# The effect of a spot tariff's defaults on the bill, by field.
_COST_OF_SPOT_DEFAULT = {
    "markup": "no taxes and fees on top of the market price",
    "vat": "no value added tax",
}


class CostlyDefault(NamedTuple):
    """A field that the file omits although it affects the bill, its default, and the effect."""

    field: str
    value: float | str | bool | None
    means: str


def list_defaults(site: Site) -> list[CostlyDefault]:
    """List the defaults of a site, as read from its file, that affect the bill.

    A stored site no longer tells defaults from given values.
    """
    tariff = site.tariff
    given = "tariff" in site.model_fields_set
    defaults: list[CostlyDefault] = []
    if not given:
        means = f"a bought kWh always costs 0.30 {site.currency}, whatever prices are loaded"
        defaults.append(CostlyDefault("tariff.import", "fixed 0.30", means))
    if not given or "export" not in tariff.model_fields_set:
        defaults.append(CostlyDefault("tariff.export", "fixed 0", "a sold kWh earns nothing"))
    meanings_by_side = {
        "import": _COST_OF_SPOT_DEFAULT,
        "export": {"markup": "a sold kWh earns the market price"},
    }
    for side, rule in (("import", tariff.import_), ("export", tariff.export)):
        if isinstance(rule, SpotPrice):
            defaults += _left_out(rule, f"tariff.{side}", meanings_by_side[side])
    for kind in DEVICE_KINDS:
        if not kind.named:
            defaults += _of_kind(site, kind)
    if site.pv and site.location is None:
        defaults.append(
            CostlyDefault(
                "location",
                None,
                "solar forecasts are rough without the location, and there is no weather",
            )
        )
    for kind in DEVICE_KINDS:
        if kind.named:
            defaults += _of_kind(site, kind)
    return defaults


def _of_kind(site: Site, kind: DeviceKind[Any]) -> Iterator[CostlyDefault]:
    for device in kind.of(site):
        path = f"{kind.section}.{device.name}" if kind.named else kind.section
        meanings = {}
        for name in kind.defaults.costly(device):
            meanings[name] = DEFAULTS.say(f"{kind.name}_{name}", ENGLISH)
        yield from _left_out(device, path, meanings)


def _left_out(part: Part, path: str, meanings: dict[str, str]) -> Iterator[CostlyDefault]:
    for name, means in meanings.items():
        if name not in part.model_fields_set:
            yield CostlyDefault(f"{path}.{name}", getattr(part, name), means)
