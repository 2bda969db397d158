"""Slots of which nothing is known but what a site's description guarantees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import z3

from luna.energy.physics.inverters import InverterLimits
from luna.energy.physics.limits import BatteryLimits, SiteLimits
from luna.energy.physics.mode import SetPoint
from tests.system.proofs.claims import Action, Inputs
from tests.system.proofs.terms import list_elements, name_unknowns, to_real, to_truth

_CONTRACT = ("charge_from_grid", "discharge_to_grid")
_SHARES = (
    "min_soc",
    "max_soc",
    "charge_efficiency",
    "discharge_efficiency",
    "taper_from_soc",
    "taper_to_share",
)


@dataclass(frozen=True)
class Situation:
    """A kind of site: how many batteries, whether they have a least charging power, and whether
    they stand behind an inverter each.
    """

    batteries: int
    least_power: bool = True
    inverters: bool = False
    limits_pv: bool = True

    @property
    def shape(self) -> tuple[int, int]:
        return self.batteries, 1


def _describe_batteries(situation: Situation) -> BatteryLimits:
    columns = {
        name: name_unknowns(name, situation.shape, z3.Bool if name in _CONTRACT else z3.Real)
        for name in BatteryLimits.__slots__
    }
    return BatteryLimits(
        **columns
        if situation.least_power
        else columns | {"min_charge_kw": np.zeros(situation.shape)}
    )


def _describe_inverters(situation: Situation) -> InverterLimits | None:
    """Return an inverter for each battery, and one of PV alone."""
    if not situation.inverters:
        return None
    shares = {name: name_unknowns(name, situation.shape) for name in ("pv_share", "limit_kw")}
    return InverterLimits(
        **shares,
        **{name: name_unknowns(name, (1, 1)) for name in ("alone_share", "alone_limit_kw")},
    )


def describe_slot(situation: Situation) -> Inputs:
    """Return a slot of unknowns: one site, any set-point, any state, any load and PV."""
    levels = {
        name: name_unknowns(name, situation.shape)
        for name in ("mode", "power_kw", "target_soc", "floor_soc", "ceiling_soc", "spill_soc")
    }
    pv_limit = name_unknowns("pv_limit_kw", (1,)) if situation.limits_pv else np.array([np.inf])
    asked = SetPoint(**levels, curtailment=name_unknowns("curtailment", (1,)), pv_limit_kw=pv_limit)
    grid = [name_unknowns(name, (1,)) for name in ("import_limit_kw", "export_limit_kw")]
    limits = SiteLimits(
        _describe_batteries(situation),
        *grid,
        name_unknowns("curtailable", (1,), z3.Bool),
        _describe_inverters(situation),
    )
    load, pv, hours = (name_unknowns(name, (1,)) for name in ("load_kwh", "pv_kwh", "hours"))
    return Inputs(asked, name_unknowns("stored_kwh", situation.shape), load, pv, limits, hours)


def describe_action(situation: Situation) -> Action:
    """Return anything that batteries and PV could have done instead."""
    other = [
        name_unknowns(f"other_{name}", situation.shape) for name in ("charge_kwh", "discharge_kwh")
    ]
    return Action(*other, name_unknowns("other_held_back_kwh", (1,)))


def all_of(truths: Sequence[Any]) -> z3.BoolRef:
    """Return that everything in these arrays is true."""
    return z3.And(*(to_truth(each) for array in truths for each in list_elements(array)))


def list_assumptions(given: Inputs) -> list[z3.BoolRef]:
    """Return what ``luna.energy.site`` guarantees of every site and slot: the bounds of its fields,
    and no negative load, PV or length.
    """
    battery = given.limits.batteries
    limits = given.limits
    shares = [getattr(battery, name) for name in _SHARES]
    amounts = [
        battery.charge_limit_kw,
        battery.discharge_limit_kw,
        battery.min_charge_kw,
        limits.import_limit_kw,
        limits.export_limit_kw,
    ]
    positive = [
        battery.capacity_kwh,
        battery.charge_efficiency,
        battery.discharge_efficiency,
        given.hours,
    ]
    ordered = [battery.min_soc <= battery.max_soc, battery.min_charge_kw <= battery.charge_limit_kw]
    truths = [
        *ordered,
        *((each >= 0.0) & (each <= 1.0) for each in shares),
        *(each >= 0.0 for each in (*amounts, given.load_kwh, given.pv_kwh)),
        *(each > 0.0 for each in positive),
    ]
    return [all_of(truths), *_list_words(given), *_list_inverter_assumptions(given)]


def _list_words(given: Inputs) -> Iterator[z3.BoolRef]:
    """Yield that modes and rules for PV are whole numbers, one beyond those that are known on
    either side.
    """
    for words, known in ((given.asked.mode, range(-1, 7)), (given.asked.curtailment, range(-1, 4))):
        yield from (
            z3.Or(*(to_real(word) == each for each in known)) for word in list_elements(words)
        )


def _list_inverter_assumptions(given: Inputs) -> list[z3.BoolRef]:
    """Return that shares of PV behind inverters are shares, and together no more than all of it."""
    inverters = given.limits.inverters
    if inverters is None:
        return []
    shares = [inverters.pv_share, inverters.alone_share]
    behind = sum((share * given.pv_kwh).sum(axis=0) for share in shares)
    return [
        all_of(
            [
                behind <= given.pv_kwh,
                *(share >= 0.0 for share in shares),
                inverters.limit_kw > 0.0,
                inverters.alone_limit_kw > 0.0,
            ]
        )
    ]
