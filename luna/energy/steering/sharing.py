"""Share what limits leave among devices: dim all before one is switched off."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from luna.energy.steering.state import SteeringReason

_NOTHING_KW = 1e-6


@dataclass(frozen=True, slots=True)
class Claim:
    """Draw of a device, and how much of each limit a kW of it uses.

    ``least_kw`` is the least that it runs with; ``uses`` is by the limit's name.
    """

    unit: str
    least_kw: float
    wanted_kw: float
    worth_price: float
    uses: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Room:
    """Room that a limit leaves for controlled devices, and the reason where it binds."""

    amount: float
    reason: SteeringReason


@dataclass(frozen=True, slots=True)
class Allotment:
    """The power that a device may draw; ``reason`` names the limit that lowers it."""

    kw: float
    reason: SteeringReason | None


def share_room(claims: Sequence[Claim], rooms: Mapping[str, Room]) -> dict[str, Allotment]:
    """Return what each device may draw within all limits.

    First each gets its least power, in the order of worth, then each more, in that order.

    Invariants: no limit is passed; nobody gets more than it wants, nor less than its least power
    but nothing.
    """
    left = {name: room.amount for name, room in rooms.items()}
    ordered = sorted(claims, key=_order)
    given_kw: dict[str, float] = {}
    binding: dict[str, SteeringReason | None] = {}
    for claim in ordered:
        least_kw = min(claim.least_kw, claim.wanted_kw)
        fitting_kw, limit = _find_fitting(claim, left, least_kw)
        if fitting_kw + _NOTHING_KW < least_kw:
            fitting_kw = 0.0
        given_kw[claim.unit] = fitting_kw
        binding[claim.unit] = rooms[limit].reason if limit else None
        _take(claim, left, fitting_kw)
    for claim in ordered:
        missing_kw = claim.wanted_kw - given_kw[claim.unit]
        if missing_kw <= _NOTHING_KW or (given_kw[claim.unit] == 0.0 and binding[claim.unit]):
            continue
        more_kw, limit = _find_fitting(claim, left, missing_kw)
        given_kw[claim.unit] += more_kw
        binding[claim.unit] = rooms[limit].reason if limit else None
        _take(claim, left, more_kw)
    return {unit: Allotment(kw, binding[unit]) for unit, kw in given_kw.items()}


def _order(claim: Claim) -> tuple[float, str]:
    return -claim.worth_price, claim.unit


def _find_fitting(
    claim: Claim, left: Mapping[str, float], wanted_kw: float
) -> tuple[float, str | None]:
    """Return how much of a power fits, and the limit that lowers it."""
    fitting_kw = wanted_kw
    binding = None
    for name, use in claim.uses.items():
        amount = left.get(name, math.inf)
        if use > 0.0 and fitting_kw * use > amount + _NOTHING_KW:
            fitting_kw = max(amount / use, 0.0)
            binding = name
    return fitting_kw, binding


def _take(claim: Claim, left: dict[str, float], kw: float) -> None:
    for name, use in claim.uses.items():
        if name in left:
            left[name] -= use * kw
