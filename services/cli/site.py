"""``luna site``: which sites there are."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from luna.energy.devices import DEVICE_KINDS, DeviceKind
from luna.energy.errors import LunaError
from luna.energy.part import Part
from luna.energy.site import Site, SpotPrice
from luna.energy.site.sensor_changes import ChangedSensors
from luna.words import say_instant
from luna.words.catalogue import ENGLISH
from luna.words.devices import DEFAULTS
from services.cli.console import JsonOption, emit, err, out, report, table
from services.cli.declared import build_group, open_desk, read_sites
from services.cli.storage import unit_of_work
from services.cli.window import SiteOption

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from luna.energy.site.differences import SiteDifference

app = build_group("site", "Add, list, show and remove sites.", by_hand=frozenset({"list"}))


# What a default of a part means for the bill, by its field.
_OF_SPOT = {"markup": "no taxes and fees beside the market's price", "vat": "no value added tax"}


class Default(NamedTuple):
    """A field that the file leaves out although it costs money, what stands there, and what that means."""

    field: str
    value: float | str | bool | None
    means: str


@app.command()
def add(
    file: Annotated[Path, typer.Option("--file", help="The site's YAML file; config/site.yaml documents every field.")],
    *,
    changed_sensors: Annotated[
        ChangedSensors, typer.Option(help="A sensor whose sign or role the file changes counts so from now on, or always did: its past is then read anew.")
    ] = "from-now",
    accept_time_zone: Annotated[
        bool, typer.Option("--accept-time-zone", help="Store another time zone although what is recorded is then billed and drawn by other days.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Store it without asking; scripts are not asked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Store a site; one of the same name takes the new configuration, after what differs was shown, and keeps the old as a version.

    Names each default that costs money.
    """
    from luna.platform.clock import SystemClock
    from luna.platform.database import site_changes
    from luna.platform.drivers.profiles import require_profiles
    from luna.platform.settings import load_settings
    from luna.platform.site_file import load_site

    site = load_site(file)
    require_profiles(site, load_settings().data_folder)
    with unit_of_work() as connection:
        change = site_changes.prepare(connection, site, now=SystemClock().now(), changed_sensors=changed_sensors, accept_time_zone=accept_time_zone)
        change.require_same_clock()
        differences = _find_differences(connection, change.site)
        if differences and not as_json:
            _show_differences(site.name, differences)
            if not yes and sys.stdin.isatty():
                typer.confirm("Store it?", abort=True, err=True)
        site_changes.store(connection, change)
    defaults = list_defaults(site)
    document = {"site": site.name, "defaults": [each._asdict() for each in defaults], "changed_sensors": [each._asdict() for each in change.sensors]}
    document |= {"differences": [each._asdict() for each in differences]}

    def show_both() -> None:
        _show(site, defaults)
        for each in change.sensors:
            named = f"{each.sensor}, until now {', '.join(each.instead_of)}," if each.instead_of else each.sensor
            said = f"{named} counts as {', '.join(each.after)} from now on, before as {', '.join(each.before)}; both stand in the site with their times."
            out.print(said, soft_wrap=True, markup=False)
        if change.sensors:
            out.print("If it was always so: luna site add --file FILE --changed-sensors always, then luna data slots for its past.", soft_wrap=True)

    emit(document, as_json=as_json, show=show_both)


def _find_differences(connection: "Connection", site: Site) -> "list[SiteDifference]":
    """Return in what a site differs from the one of its name that is stored; of a new one nothing."""
    from luna.energy.site.differences import list_differences
    from luna.platform.database import sites

    stored = sites.read_configurations(connection, [site.name])
    return list_differences(stored[site.name], site.model_dump(mode="json", by_alias=True)) if stored else []


def _show_differences(name: str, differences: "list[SiteDifference]") -> None:
    err.print(f"{name} is there already; this changes:")
    for each in differences:
        err.print(f"  {each.field}: {'–' if each.before is None else each.before} → {'–' if each.after is None else each.after}", soft_wrap=True, markup=False)


@app.command("list")
def list_sites(*, as_json: JsonOption = False) -> None:
    """Show every site with its parts, and apart from them those that this release cannot read."""
    with open_desk() as desk:
        found = read_sites(desk)
    rows = [[site.name, site.timezone, f"{sum(battery.capacity_kwh for battery in site.batteries):g} kWh", f"{site.peak_kw:g} kW"] for site in found.sites]

    def show_both() -> None:
        table(["site", "timezone", "batteries", "PV"], rows)
        for each in found.unreadable:
            out.print(f"\n{each.site}: {LunaError(each.detail, field=each.field, remedy=each.remedy)}", markup=False, soft_wrap=True)
            if each.untold:
                said = "It is armed and no version of it can be read: nobody tells its devices anything, they keep what they were told last. Set them by hand."
                out.print(said, soft_wrap=True)
            elif each.armed:
                out.print("It is armed: until it can be read again, its devices do what they do by themselves.", soft_wrap=True)

    emit(found.model_dump(mode="json", by_alias=True), as_json=as_json, show=show_both)


@app.command()
def show(*, site: SiteOption, as_json: JsonOption = False) -> None:
    """Show a site as it was configured last, in the form of its file; as it is stored where this release cannot read it."""
    import yaml

    from luna.energy.timeline import parse_zone
    from luna.platform.database import sites

    with unit_of_work() as connection:
        stored = sites.find(connection, site)
    if isinstance(stored, sites.UnreadableSite):
        document, zone = stored.configuration, parse_zone("UTC")
        report(stored.error)
    else:
        document, zone = stored.site.model_dump(mode="json", by_alias=True), parse_zone(stored.site.timezone)
    head = f"# {site}, version {stored.version}, since {say_instant(stored.saved_at, zone)}"
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    emit(document, as_json=as_json, show=lambda: out.print(f"{head}\n{text}", markup=False, soft_wrap=True, end=""))


def list_defaults(site: Site) -> list[Default]:
    """Return every default that costs money, of a site as it was read: once stored, nobody can tell a default from what was written."""
    return [*_of_tariff(site), *_of_devices(site)]


def _of_tariff(site: Site) -> Iterator[Default]:
    tariff, given = site.tariff, "tariff" in site.model_fields_set
    if not given:
        yield Default("tariff.import", "fixed 0.30", f"a bought kWh costs 0.30 {site.currency} at any time, whatever prices are loaded")
    if not given or "export" not in tariff.model_fields_set:
        yield Default("tariff.export", "fixed 0", "a sold kWh earns nothing")
    for side, rule in (("import", tariff.import_), ("export", tariff.export)):
        if isinstance(rule, SpotPrice):
            yield from _left_out(rule, f"tariff.{side}", _OF_SPOT if side == "import" else {"markup": "the market's price is earned as it is"})


def _of_devices(site: Site) -> Iterator[Default]:
    named, single = ([kind for kind in DEVICE_KINDS if kind.named is named] for named in (True, False))
    yield from (each for kind in single for each in _of_kind(site, kind))
    if site.pv and site.location is None:
        yield Default("location", None, "the sun is a rough one, of the time zone, and no weather is fetched")
    yield from (each for kind in named for each in _of_kind(site, kind))


def _of_kind(site: Site, kind: DeviceKind[Any]) -> Iterator[Default]:
    for device in kind.of(site):
        path = f"{kind.section}.{device.name}" if kind.named else kind.section
        yield from _left_out(device, path, {name: DEFAULTS.say(f"{kind.name}_{name}", ENGLISH) for name in kind.costly_defaults(device)})


def _left_out(part: Part, path: str, meanings: dict[str, str]) -> Iterator[Default]:
    for name, means in meanings.items():
        if name not in part.model_fields_set:
            yield Default(f"{path}.{name}", getattr(part, name), means)


def _show(site: Site, defaults: Sequence[Default]) -> None:
    out.print(f"Site {site.name} is stored.")
    if defaults:
        out.print("These defaults cost money; where they are not so, name them in the site's file:")
    for each in defaults:
        value = "none" if each.value is None else f"{each.value:g}" if isinstance(each.value, float) else str(each.value).lower()
        out.print(f"  {each.field}: {value}, {each.means}", soft_wrap=True, markup=False)
