"""What people order of a site's devices: arm it, disarm it, have a device do something else for a while. Checked, then stored."""

from datetime import datetime

from sqlalchemy import Connection

from luna.contracts.control import ControlState, Override
from luna.database import control, sites
from luna.device_config import BATTERIES
from luna.errors import InvalidInputError
from luna.site import Site
from luna.site.inventory import OWNER_MODES


def arm(connection: Connection, site_id: str, *, at: datetime, by: str) -> ControlState:
    """Let commands be sent to a site's devices from the executor's next look on.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: it does not say how its devices are told.
    """
    if sites.load(connection, site_id).control is None:
        remedy = "Describe how its devices are told, as in config/site.yaml, and add it again: luna site add --file site.yaml."
        raise InvalidInputError("the site has no section control", field="control", value=site_id, remedy=remedy)
    control.arm(connection, site_id, at=at, by=by)
    return control.load(connection, site_id)


def override(connection: Connection, site_id: str, device: str, wanted: Override, *, now: datetime) -> ControlState:
    """Have a device, or all batteries, do what the owner wants instead of the plan, until an instant.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the device cannot be told, has no such mode, or the instant has passed.
    """
    require_device(sites.load(connection, site_id), device, wanted.mode)
    if wanted.until <= now:
        raise InvalidInputError("this has passed", field="until", value=wanted.until.isoformat(), remedy="Name an instant that is still to come.")
    control.override(connection, site_id, wanted, device=device)
    return control.load(connection, site_id, device)


def resume(connection: Connection, site_id: str, device: str = BATTERIES) -> ControlState:
    """End an override: the plan is followed again.

    Raises:
        NotFoundError: no such site.
        InvalidInputError: the site never told such a device.
    """
    if device != BATTERIES and device not in control.list_devices(connection, site_id):
        _require_named(sites.load(connection, site_id), device)
        return control.load(connection, site_id, device)
    control.override(connection, site_id, None, device=device)
    return control.load(connection, site_id, device)


def read_states(connection: Connection, site_id: str, *, now: datetime) -> list[ControlState]:
    """Return how the devices of a site stand, the batteries first; an override that has ended is none.

    Raises:
        NotFoundError: no such site.
    """
    found = [control.load(connection, site_id, device) for device in (BATTERIES, *control.list_devices(connection, site_id))]
    return [state.model_copy(update={"override": None}) if state.override is not None and state.override.until <= now else state for state in found]


def require_device(site: Site, device: str, mode: str) -> None:
    """Refuse a device that the site's section ``control`` does not name, and a mode that its kind does not have.

    Raises:
        InvalidInputError: names what there is.
    """
    _require_named(site, device)
    modes = OWNER_MODES[device.partition(":")[0]]
    if mode not in modes:
        raise InvalidInputError(f"{device} has no such mode", field="mode", value=mode, remedy=f"There are {', '.join(modes)}.")


def _require_named(site: Site, device: str) -> None:
    known = site.control.devices if site.control else (BATTERIES,)
    if device not in known:
        raise InvalidInputError("the site's section control does not name it", field="device", value=device, remedy=f"There are {', '.join(known)}.")
