"""Inventory of a site's devices: ratings, control keys and modes."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.kind import DeviceKind, DeviceUseKind
from luna.energy.part import Part
from luna.energy.site.control import DEVICE_KEYS
from luna.energy.site.model import Site

_KINDS = tuple(kind for kind in DEVICE_KINDS if kind.named)


class SiteDevice(Part):
    """One device of a site."""

    name: Annotated[str, Field(description="its name among the site's devices of its kind")]
    kind: Annotated[
        str,
        Field(description="what it is", json_schema_extra={"enum": [kind.name for kind in _KINDS]}),
    ]
    power_kw: Annotated[float, Field(description="what it takes, gives or produces at most, kW")]
    capacity_kwh: Annotated[
        float | None, Field(description="what it stores, kWh; null where it stores nothing")
    ] = None
    told_as: Annotated[
        str | None,
        Field(
            description=(
                f"its name where it is controlled: {', '.join(DEVICE_KEYS)}; null: the section "
                "control does not name it"
            )
        ),
    ] = None
    modes: Annotated[
        tuple[str, ...],
        Field(description="what its owner can have it do; empty where it is not controlled"),
    ] = ()


def list_devices_of(site: Site) -> list[SiteDevice]:
    """Return a site's devices, kind by kind."""
    return [_describe(kind, device, site) for kind in _KINDS for device in kind.of(site)]


def list_meters(site: Site) -> Iterator[tuple[str | None, DeviceUseKind]]:
    """Yield the sensor role and use of each submetered device.

    It is the role of ``input_sensors`` that measures the device; None: none does.
    """
    for kind in DEVICE_KINDS:
        consumption = kind.consumption
        if consumption.meter is not None:
            for device in kind.of(site):
                yield consumption.meter(device), consumption.kind(device)


def _describe(kind: DeviceKind[Any], device: Any, site: Site) -> SiteDevice:
    commands = None
    if kind.commands and site.control and site.control.names(kind.commands, device.name):
        commands = kind.commands
    return SiteDevice(
        name=device.name,
        kind=kind.name,
        power_kw=kind.power_kw(device),
        capacity_kwh=kind.capacity_kwh(device) if kind.capacity_kwh else None,
        told_as=commands.key(device.name) if commands else None,
        modes=commands.modes if commands else (),
    )
