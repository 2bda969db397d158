"""What a site has, device by device, and what each can be told."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from luna.energy.device_config import BATTERIES, OWNER_MODES, Control
from luna.energy.site.model import Site
from luna.energy.site.part import Part

DeviceKind = Literal["battery", "pv", "inverter", "vehicle", "load", "heat_pump"]


class SiteDevice(Part):
    """One device of a site."""

    name: Annotated[str, Field(description="its name among the site's devices of its kind")]
    kind: Annotated[DeviceKind, Field(description="what it is")]
    power_kw: Annotated[float, Field(description="what it takes, gives or produces at most, kW")]
    capacity_kwh: Annotated[float | None, Field(description="what it stores, kWh; null where it stores nothing")] = None
    told_as: Annotated[
        str | None, Field(description="its name where it is controlled: batteries, vehicle:NAME, load:NAME, pv; null: the section control does not name it")
    ] = None
    modes: Annotated[tuple[str, ...], Field(description="what its owner can have it do; empty where it is not controlled")] = ()


def list_devices_of(site: Site) -> list[SiteDevice]:
    """Return what a site has, kind by kind."""
    return list(_devices(site))


def _devices(site: Site) -> Iterator[SiteDevice]:
    told = _told_batteries(site.control)
    for battery in site.batteries:
        power_kw = max(battery.charge_limit_kw, battery.discharge_limit_kw)
        yield _device(site, battery.name, "battery", power_kw, told=BATTERIES if battery.name in told else None, capacity_kwh=battery.capacity_kwh)
    for array in site.pv:
        yield _device(site, array.name, "pv", array.peak_kw, told="pv")
    for inverter in site.inverters:
        yield _device(site, inverter.name, "inverter", inverter.ac_limit_kw, told=None)
    for vehicle in site.vehicles:
        power_kw = max(vehicle.charge_limit_kw, vehicle.discharge_limit_kw)
        yield _device(site, vehicle.name, "vehicle", power_kw, told=f"vehicle:{vehicle.name}", capacity_kwh=vehicle.capacity_kwh)
    for load in site.loads:
        yield _device(site, load.name, "load", load.power_kw, told=f"load:{load.name}")
    for pump in site.heat_pumps:
        yield _device(site, pump.name, "heat_pump", pump.power_kw, told=f"load:{pump.name}")


def _told_batteries(control: Control | None) -> set[str]:
    return {each.battery for each in control.batteries} if control else set()


def _device(site: Site, name: str, kind: DeviceKind, power_kw: float, *, told: str | None, capacity_kwh: float | None = None) -> SiteDevice:
    known = told if site.control and told in site.control.devices else None
    modes = OWNER_MODES[known.partition(":")[0]] if known else ()
    return SiteDevice(name=name, kind=kind, power_kw=power_kw, capacity_kwh=capacity_kwh, told_as=known, modes=modes)
