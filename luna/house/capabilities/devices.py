"""Declare the list of a site's devices."""

from typing import Annotated

from pydantic import Field

from luna.contracts.message import Message
from luna.energy.site.inventory import SiteDevice, list_devices_of
from luna.house.capability import CapabilityCall, ReplyTable, SiteName, capability
from luna.platform.database import sites
from luna.words import Numbers


class DeviceList(Message):
    """Devices of a site."""

    devices: Annotated[
        list[SiteDevice], Field(description="by kind, then as the site's file lists them")
    ]
    cursor: Annotated[None, Field(description="always null: all of them stand on one page")] = None


def _show(device: SiteDevice, _: Numbers) -> list[str]:
    capacity = "" if device.capacity_kwh is None else f"{device.capacity_kwh:g}"
    return [
        device.name,
        device.kind,
        f"{device.power_kw:g}",
        capacity,
        device.told_as or "–",
        ", ".join(device.modes),
    ]


@capability(
    "GET",
    "/v1/sites/{site_id}/devices",
    noun="sites",
    scope="read",
    command="site devices",
    shown=ReplyTable(
        ("device", "kind", "kW", "kWh", "told as", "modes"),
        _show,
        "devices",
        words=("kind", "told as", "modes"),
        none="{site_id} has no devices.",
    ),
)
def list_devices(call: CapabilityCall, site_id: SiteName) -> DeviceList:
    """List a site's devices.

    Return every device by kind, its power, and whether Luna can control it.
    """
    return DeviceList(devices=list_devices_of(sites.load(call.connection, site_id)))


CAPABILITIES = (list_devices,)
