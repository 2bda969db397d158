"""Checks of an owner's blocks against the site.

It says what a device may be told, and what contradicts each other.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, get_args
from zoneinfo import ZoneInfo

from luna.contracts.owner import GRID, Action, ManualBlock
from luna.energy.devices import DEVICE_KINDS
from luna.energy.devices.kind import ChargedDevice, DeviceKind
from luna.energy.errors import LunaError
from luna.energy.part import Part
from luna.energy.refusals import refuse
from luna.energy.site import Site
from luna.words import say_instant

# Longer than this nobody remembers a block; what shall hold for good belongs into the site.
LONGEST = timedelta(days=14)
# Pairs of actions that exclude each other on every device.
_CONTRADICTIONS = [
    {"charge", "discharge"},
    {"charge", "hold"},
    {"charge", "no_charge"},
    {"discharge", "hold"},
    {"discharge", "no_discharge"},
    {"on", "off"},
]


def check_blocks(blocks: Sequence[ManualBlock], site: Site, *, now: datetime) -> None:
    """Refuse blocks that a site cannot follow.

    Raises:
        InvalidInputError: an unknown device, an action it does not know, too much or too little
            power, a time that has passed, more than ``LONGEST``, or two blocks that contradict each
            other.
    """
    for index, block in enumerate(blocks):
        check_block(block, site, now=now, field=f"manual.{index}")
    for first, second in combinations(blocks, 2):
        if contradict(first, second):
            raise _contradiction(first, second, ZoneInfo(site.timezone))


def check_block(block: ManualBlock, site: Site, *, now: datetime, field: str = "block") -> None:
    """Refuse a block that the site cannot follow whatever else is wanted.

    Raises:
        InvalidInputError: as ``check_blocks``.
    """
    device = find_device(block, site, field=field)
    zone = ZoneInfo(site.timezone)
    if block.to <= now:
        raise refuse(
            "time-passed", field=f"{field}.to", value=block.to.astimezone(zone).isoformat()
        )
    if block.to - block.from_ > LONGEST:
        raise refuse(
            "block-too-long",
            field=f"{field}.to",
            value=block.to.astimezone(zone).isoformat(),
            days=LONGEST.days,
        )
    if block.power_kw is not None and isinstance(device, ChargedDevice):
        _check_power(block, block.power_kw, device, field=f"{field}.power_kw")


def _check_power(block: ManualBlock, power_kw: float, device: ChargedDevice, *, field: str) -> None:
    if block.action == "charge":
        least_kw = device.min_charge_kw
        most_kw = device.charge_limit_kw
    else:
        least_kw = 0.0
        most_kw = device.discharge_limit_kw
    if power_kw > most_kw:
        raise refuse("power-beyond", field=field, value=power_kw, device=block.device, most=most_kw)
    if power_kw < least_kw:
        raise refuse("power-too-small", field=field, value=power_kw, least=least_kw)


def check_beside(block: ManualBlock, others: Sequence[ManualBlock], zone: ZoneInfo) -> None:
    """Refuse a block that contradicts one of those there are.

    The refusal speaks of times in ``zone``.

    Raises:
        InvalidInputError: names the other.
    """
    for other in others:
        if contradict(block, other):
            raise _contradiction(block, other, zone)


def find_device(block: ManualBlock, site: Site, *, field: str = "block") -> Part:
    """Return the device of a block.

    Raises:
        InvalidInputError: none has that name, or it does not know the action.
    """
    devices = _devices(site)
    of_name = [(device, actions) for name, device, actions in devices if name == block.device]
    for device, actions in of_name:
        if block.action in actions:
            return device
    if not of_name:
        names = tuple(dict.fromkeys(name for name, _, _ in devices))
        raise refuse("no-such-device", field=f"{field}.device", value=block.device, names=names)
    _, known_actions = of_name[0]
    raise refuse(
        "no-such-mode",
        field=f"{field}.action",
        value=block.action,
        device=block.device,
        modes=tuple(sorted(known_actions)),
    )


def find_actions(site: Site) -> dict[str, list[Action]]:
    """Return the actions that an owner can fix, by device.

    They are in the order of a form.
    """
    actions_by_device: dict[str, list[Action]] = {}
    for name, _, actions in _devices(site):
        own = actions_by_device.setdefault(name, [])
        own += [action for action in get_args(Action) if action in actions and action not in own]
    return actions_by_device


def contradict(first: ManualBlock, second: ManualBlock) -> bool:
    """Return whether two overlapping blocks contradict each other on one device."""
    overlap = first.from_ < second.to and second.from_ < first.to
    if first.device != second.device or not overlap:
        return False
    if first.action == second.action:
        return first.power_kw != second.power_kw
    return {first.action, second.action} in _CONTRADICTIONS


def _devices(site: Site) -> list[tuple[str, Part, frozenset[str]]]:
    devices: list[tuple[str, Part, frozenset[str]]] = []
    for kind in DEVICE_KINDS:
        if kind.actions:
            of_site = kind.of(site)
            devices += [(_name(kind, device), device, kind.actions) for device in of_site]
    return devices


def _name(kind: DeviceKind[Any], device: Any) -> str:
    name: str = device.name if kind.named else GRID
    return name


def _contradiction(block: ManualBlock, other: ManualBlock, zone: ZoneInfo) -> LunaError:
    begin = say_instant(max(block.from_, other.from_), zone)
    end = say_instant(min(block.to, other.to), zone)
    number = f" (block {other.block_id})" if other.block_id else ""
    return refuse(
        "block-contradicts",
        field="manual",
        value=block.device,
        action=block.action,
        other=other.action,
        block=number,
        span=f"{begin} to {end}",
    )
