"""Search of the home's network for devices, and trial moves of batteries before arming."""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from luna.contracts.battery_trial import (
    BatteryMove,
    BatteryTrial,
    BatteryTrials,
    TryBatteriesRequest,
    UnknownReading,
)
from luna.contracts.device_command import DeviceCommand
from luna.contracts.device_search import FindDevicesRequest, FoundDevices, NetworkDevice
from luna.drivers import DEVICES_FOLDER, device_search
from luna.drivers.command_trial import (
    CommandStep,
    is_tried_by_command,
    move_commanded,
)
from luna.drivers.device_secrets import read_device_secret
from luna.drivers.networks import require_home_network
from luna.drivers.plausibility import ImplausibleReading, rate_readings
from luna.drivers.profiled_device import reach_device
from luna.drivers.profiles import list_profiles, load_profile
from luna.drivers.readings import READING_UNITS, LimitName
from luna.drivers.transports import HttpTransport, MqttTransport
from luna.drivers.trial import (
    STEPS,
    TrialBounds,
    TrialStep,
    bound_by,
    move_battery,
)
from luna.energy.devices.commands import Via
from luna.energy.errors import LunaError
from luna.energy.refusals import refuse
from luna.energy.site import Site, parse_site
from luna.house.control_service import allow_command_trial, allow_trial
from luna.house.untried_devices import store_trial
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.account import open_lock, take
from luna.platform.private_folders import make_private
from luna.platform.queue import TaskContext

WATTS = 1000
# By field: the device's limit, and its units per unit of the field.
_LIMITS: Mapping[str, tuple[LimitName, float]] = {
    "charge_limit_kw": ("charge_w", WATTS),
    "discharge_limit_kw": ("discharge_w", WATTS),
    "capacity_kwh": ("capacity_kwh", 1),
}


def search_network(
    request: FindDevicesRequest,
    data_folder: Path,
    *,
    progress: Callable[[int, int, str], None] = lambda *_: None,
) -> FoundDevices:
    """Return the devices whose answers fit a profile; nothing is written to any of them.

    Raises:
        InvalidInputError: no network of a home, or no such secret.
        UnavailableError: the broker refuses the secret.
    """
    network = require_home_network(request.network)
    password = None if request.secret is None else read_device_secret(request.secret, data_folder)
    search = device_search.search_network(
        network,
        list_profiles(data_folder),
        port=request.port,
        secret=password,
        data_folder=data_folder,
        progress=lambda asked, hosts: progress(asked, hosts, network),
    )
    devices = []
    for match in search.devices:
        profile = match.profile
        # Nothing else has a password.
        takes_secret = isinstance(profile.transport, HttpTransport | MqttTransport)
        secret = request.secret if takes_secret else None
        unit = None if match.unit in profile.units[:1] else match.unit
        via = Via(
            profile=profile.profile,
            host=match.host,
            port=match.port,
            unit=unit,
            prefix=match.prefix,
            secret=secret,
        )
        # The battery's power limits and capacity, as far as the device reports them.
        limits: Mapping[LimitName, float] = {}
        if profile.limits:
            with suppress(LunaError), closing(reach_device(via, data_folder)) as reached:
                limits = reached.read_limits()
        stated_limits = {}
        for field, (name, per) in _LIMITS.items():
            if name in limits:
                stated_limits[field] = limits[name] / per
        identity = match.identity
        device = NetworkDevice(
            host=via.host,
            port=match.port,
            unit=via.unit,
            prefix=via.prefix,
            secret=via.secret,
            maker=None if identity is None else identity.maker,
            model=None if identity is None else identity.model,
            serial=None if identity is None else identity.serial,
            profile=profile.profile,
            title=profile.title,
            kind=profile.kind,
            level=profile.evidence_level,
            commanded=profile.is_commanded,
            reads=list(profile.reads),
            **stated_limits,
        )
        devices.append(device)
    return FoundDevices(network=network, devices=devices, missing_extra=search.missing_extra)


def try_batteries(request: TryBatteriesRequest, work: TaskContext) -> BatteryTrials:
    """Move one battery after the other, half a minute each, and return the responses."""
    site = None if request.site is None else parse_site(request.site)
    total_moves = len(request.vias) * len(STEPS)
    trials: dict[str, BatteryTrial] = {}
    for battery, via in request.vias.items():
        moves: list[BatteryMove] = []

        def report(step: TrialStep | CommandStep, moves: list[BatteryMove] = moves) -> None:
            power_w = None if math.isnan(step.power_w) else step.power_w
            moves.append(
                BatteryMove(
                    mode=step.mode,
                    outcome=step.outcome,
                    is_right=step.is_right,
                    power_w=power_w,
                    seconds=step.seconds,
                    implausible=_list_unknown(getattr(step, "implausible", ())),
                )
            )
            work.progress(len(trials) * len(STEPS) + len(moves), total_moves)

        work.progress(len(trials) * len(STEPS), total_moves)
        try:
            _move(work, battery, via, site=site, report=report)
            problem = None
        except LunaError as error:
            problem = error.problem()
        trials[battery] = BatteryTrial(moves=moves, problem=problem)
    return BatteryTrials(batteries=trials)


def _list_unknown(implausible: Iterable[ImplausibleReading]) -> list[UnknownReading]:
    unknown = []
    for fault in implausible:
        reading = UnknownReading(
            reading=fault.name,
            cause=fault.cause,
            value=fault.value if math.isfinite(fault.value) else None,
            unit=READING_UNITS[fault.name],
        )
        unknown.append(reading)
    return unknown


def _move(
    work: TaskContext,
    battery: str,
    via: Via | None,
    *,
    site: Site | None,
    report: Callable[[TrialStep | CommandStep], None],
) -> None:
    if via is None:
        raise refuse("device-address-unreadable", field="via")
    profile = load_profile(via.profile, work.settings.data_folder)
    own: DeviceCommand | None = None
    bounds: TrialBounds | None = None
    with unit_of_work(work.database()) as connection:
        if is_tried_by_command(profile):
            own = allow_command_trial(connection, via, profile)
        else:
            bounds = allow_trial(connection, via)
    own_batteries = [] if site is None else [own.name for own in site.batteries]
    if site is not None and battery in own_batteries:
        bounds = bound_by(site, battery)
    folder = work.settings.data_folder / DEVICES_FOLDER
    make_private(folder)
    # Two trials at once would read each other's power.
    lock = open_lock(folder / "trial")
    try:
        if not take(lock):
            raise refuse("device-tried-already", field="via", value=via.host)
        with closing(reach_device(via, work.settings.data_folder)) as device:
            device.ratings = {} if site is None else rate_readings(site, battery=battery)
            steps: Sequence[TrialStep | CommandStep] = ()
            if own is not None:
                steps = move_commanded(device, own, report=report)
            elif bounds is not None:
                steps = move_battery(device, bounds, report=report)
        with unit_of_work(work.database()) as connection:
            store_trial(connection, via, steps, at=work.clock.now())
    finally:
        os.close(lock)
