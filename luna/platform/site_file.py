"""A site from a file of its owner's, and the defaults of that file that cost money."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.kind import DeviceKind
from luna.energy.part import Part
from luna.energy.refusals import refuse
from luna.energy.site import Site, SpotPrice, parse_site
from luna.words.catalogue import ENGLISH
from luna.words.devices import DEFAULTS


def load_site(path: Path) -> Site:
    """Return the site a YAML file describes.

    Raises:
        InvalidInputError: the file is missing, no YAML, or describes no valid site.
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


# What a default of a part means for the bill, by its field.
_OF_SPOT = {"markup": "no taxes and fees beside the market's price", "vat": "no value added tax"}


class CostlyDefault(NamedTuple):
    """A field that the file leaves out although it costs money, what stands there, and what that means."""

    field: str
    value: float | str | bool | None
    means: str


def list_defaults(site: Site) -> list[CostlyDefault]:
    """Return every default that costs money, of a site as it was read: once stored, nobody can tell a default from what was written."""
    tariff, given, defaults = site.tariff, "tariff" in site.model_fields_set, list[CostlyDefault]()
    if not given:
        means = f"a bought kWh costs 0.30 {site.currency} at any time, whatever prices are loaded"
        defaults.append(CostlyDefault("tariff.import", "fixed 0.30", means))
    if not given or "export" not in tariff.model_fields_set:
        defaults.append(CostlyDefault("tariff.export", "fixed 0", "a sold kWh earns nothing"))
    for side, rule in (("import", tariff.import_), ("export", tariff.export)):
        if isinstance(rule, SpotPrice):
            defaults += _left_out(rule, f"tariff.{side}", _OF_SPOT if side == "import" else {"markup": "the market's price is earned as it is"})
    for kind in DEVICE_KINDS:
        if not kind.named:
            defaults += _of_kind(site, kind)
    if site.pv and site.location is None:
        defaults.append(CostlyDefault("location", None, "the sun is a rough one, of the time zone, and no weather is fetched"))
    for kind in DEVICE_KINDS:
        if kind.named:
            defaults += _of_kind(site, kind)
    return defaults


def _of_kind(site: Site, kind: DeviceKind[Any]) -> Iterator[CostlyDefault]:
    for device in kind.of(site):
        path = f"{kind.section}.{device.name}" if kind.named else kind.section
        yield from _left_out(device, path, {name: DEFAULTS.say(f"{kind.name}_{name}", ENGLISH) for name in kind.costly_defaults(device)})


def _left_out(part: Part, path: str, meanings: dict[str, str]) -> Iterator[CostlyDefault]:
    for name, means in meanings.items():
        if name not in part.model_fields_set:
            yield CostlyDefault(f"{path}.{name}", getattr(part, name), means)
