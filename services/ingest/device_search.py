"""Looks for devices in a home's network, and says what each is, and how much its battery takes and gives."""

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path

from luna.contracts.device_search import FindDevicesRequest, FoundDevices, NetworkDevice
from luna.energy.devices import Via
from luna.energy.errors import LunaError
from luna.platform.drivers import finding
from luna.platform.drivers.device_secrets import read_device_secret
from luna.platform.drivers.inverter import reach_device
from luna.platform.drivers.networks import require_home_network
from luna.platform.drivers.profile import LimitName, ModbusTransport
from luna.platform.drivers.profiles import list_profiles

WATTS = 1000
# By field, what it is a limit of and in which unit.
_LIMITS: Mapping[str, tuple[LimitName, float]] = {
    "charge_limit_kw": ("charge_w", WATTS),
    "discharge_limit_kw": ("discharge_w", WATTS),
    "capacity_kwh": ("capacity_kwh", 1),
}


def search_network(request: FindDevicesRequest, data_folder: Path, *, progress: Callable[[int, int, str], None] = lambda *_: None) -> FoundDevices:
    """Return the devices that answer as a profile says they do; nothing is written to any of them.

    Raises:
        InvalidInputError: no network of a home, or no such secret.
        UnavailableError: the broker does not let in who shows the secret.
    """
    network = require_home_network(request.network)
    password = None if request.secret is None else read_device_secret(request.secret, data_folder)
    search = finding.search_network(
        network, list_profiles(data_folder), port=request.port, secret=password, progress=lambda asked, hosts: progress(asked, hosts, network)
    )
    devices = []
    for match in search.devices:
        profile = match.profile
        # Over Modbus nobody is shown a password.
        secret = None if isinstance(profile.transport, ModbusTransport) else request.secret
        unit = None if match.unit in profile.units[:1] else match.unit
        via = Via(profile=profile.profile, host=match.host, port=match.port, unit=unit, prefix=match.prefix, secret=secret)
        # What its battery takes and gives and what it holds, as far as the device says it.
        limits: Mapping[LimitName, float] = {}
        if profile.limits:
            with suppress(LunaError), closing(reach_device(via, data_folder)) as device:
                limits = device.read_limits()
        found = NetworkDevice(
            host=via.host,
            port=match.port,
            unit=via.unit,
            prefix=via.prefix,
            secret=via.secret,
            **({} if match.identity is None else {name: getattr(match.identity, name) for name in ("maker", "model", "serial")}),
            profile=profile.profile,
            title=profile.title,
            kind=profile.kind,
            reads=list(profile.reads),
            **{field: limits[name] / per for field, (name, per) in _LIMITS.items() if name in limits},
        )
        devices.append(found)
    return FoundDevices(network=network, devices=devices, missing_extra=search.missing_extra)
