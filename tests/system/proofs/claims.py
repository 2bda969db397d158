"""What is claimed of every slot, written once for numbers and for unknowns: ``clamp`` followed by
``simulate_slot``, whatever is asked.

A claim takes a slot and returns arrays of truth values, all of which it claims. Over the reals
``slack_kwh`` is 0; for floats it is what rounding may add. ``TRACE_KWH`` is what physics itself
takes for nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from luna.energy.physics.limits import SiteLimits, charge_limit_kw
from luna.energy.physics.mode import Curtailment, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.physics.simulation import Flows, SlotActuals, simulate_slot

Array = Any  # of numbers or of unknowns
TRACE_KWH = 1e-9


@dataclass(frozen=True)
class Inputs:
    """What a slot begins with: proposed set-point, stored energy, load, PV, limits and length."""

    asked: SetPoint
    stored_kwh: Array
    load_kwh: Array
    pv_kwh: Array
    limits: SiteLimits
    hours: Array


@dataclass(frozen=True)
class Slot:
    """A slot with what ``clamp`` and ``simulate_slot`` made of it."""

    given: Inputs
    safe: SetPoint
    flows: Flows
    slack_kwh: Array = 0.0

    @classmethod
    def of(cls, given: Inputs, slack_kwh: Array = 0.0) -> "Slot":
        safe = clamp(given.asked, given.stored_kwh, given.limits)
        flows = simulate_slot(
            safe,
            given.stored_kwh,
            SlotActuals(given.load_kwh, given.pv_kwh, given.hours),
            limits=given.limits,
        )
        return cls(given, safe, flows, slack_kwh)

    @property
    def most_import_kwh(self) -> Array:
        return self.given.limits.import_limit_kw * self.given.hours

    @property
    def most_export_kwh(self) -> Array:
        return self.given.limits.export_limit_kw * self.given.hours

    @property
    def most_charge_kwh(self) -> Array:
        """What the battery takes at most, its charge and its power taken together."""
        given = self.given
        battery = self.given.limits.batteries
        room = np.maximum(battery.max_kwh - given.stored_kwh, 0.0) / battery.charge_efficiency
        return np.minimum(charge_limit_kw(given.stored_kwh, battery) * given.hours, room)

    @property
    def most_discharge_kwh(self) -> Array:
        given = self.given
        battery = self.given.limits.batteries
        reserve = np.maximum(given.stored_kwh - battery.min_kwh, 0.0) * battery.discharge_efficiency
        return np.minimum(battery.discharge_limit_kw * given.hours, reserve)

    @property
    def least_charge_kwh(self) -> Array:
        return self.given.limits.batteries.min_charge_kw * self.given.hours

    @property
    def may_hold_back_kwh(self) -> Array:
        """How much PV may be held back."""
        return np.where(self.given.limits.curtailable, self.given.pv_kwh, 0.0)

    @property
    def beyond_kwh(self) -> Array:
        """What PV gives beyond the inverter of each battery, for that battery alone.

        Nothing where there are no inverters.
        """
        given = self.given
        inverters = self.given.limits.inverters
        if inverters is None:
            return np.zeros_like(given.stored_kwh)
        return np.maximum(inverters.pv_share * given.pv_kwh - inverters.limit_kw * given.hours, 0.0)

    @property
    def passing_kwh(self) -> Array:
        """What PV gives the house or the grid at most: all but what no inverter carries."""
        given = self.given
        return (
            given.pv_kwh
            if given.limits.inverters is None
            else given.limits.inverters.convert(given.pv_kwh, given.hours).ac_kwh
        )

    def at_most(self, one: Array, other: Array) -> Array:
        return one <= other + self.slack_kwh

    def is_same(self, one: Array, other: Array) -> Array:
        return self.at_most(one, other) & self.at_most(other, one)

    def is_nothing(self, one: Array) -> Array:
        return self.at_most(one, 0.0)


Claim = Callable[[Slot], list[Array]]


def stored_energy_sessions_within_its_limits(slot: Slot) -> list[Array]:
    """Stored energy never leaves its limits.

    Found outside, it never comes further from them nor crosses to the other side.
    """
    battery = slot.given.limits.batteries
    before = slot.given.stored_kwh
    after = slot.flows.stored_kwh
    return [
        slot.at_most(after, np.maximum(battery.max_kwh, before)),
        slot.at_most(np.minimum(battery.min_kwh, before), after),
    ]


def power_sessions_within_its_limits(slot: Slot) -> list[Array]:
    """A battery charges and discharges with no more than its power, near full with no more than its
    taper leaves.
    """
    given = slot.given
    flows = slot.flows
    battery = slot.given.limits.batteries
    most = charge_limit_kw(given.stored_kwh, battery) * given.hours
    nonnegative = [slot.at_most(0.0, flow) for flow in (flows.charge_kwh, flows.discharge_kwh)]
    return [
        *nonnegative,
        slot.at_most(flows.charge_kwh, most),
        slot.at_most(flows.discharge_kwh, battery.discharge_limit_kw * given.hours),
    ]


def charging_starts_at_its_least_power(slot: Slot) -> list[Array]:
    """A battery charges with its least power or more, or not at all."""
    charge = slot.flows.charge_kwh
    return [slot.is_nothing(charge) | slot.at_most(slot.least_charge_kwh - TRACE_KWH, charge)]


def battery_and_meter_run_one_way(slot: Slot) -> list[Array]:
    """No battery charges and discharges within a slot, nor does the site import and export: what
    one sells and another buys passes no meter.
    """
    flows = slot.flows
    return [
        slot.is_nothing(flows.charge_kwh) | slot.is_nothing(flows.discharge_kwh),
        slot.is_nothing(flows.import_kwh) | slot.is_nothing(flows.export_kwh),
    ]


def energy_is_conserved(slot: Slot) -> list[Array]:
    """Load, charge and export are PV used, discharge and import.

    Stored energy changes by charge and discharge, less their losses.
    """
    given = slot.given
    flows = slot.flows
    battery = slot.given.limits.batteries
    used = given.load_kwh + flows.charge_kwh.sum(axis=0) + flows.export_kwh
    came = given.pv_kwh - flows.curtailed_kwh + flows.discharge_kwh.sum(axis=0) + flows.import_kwh
    inside = (
        given.stored_kwh
        + flows.charge_kwh * battery.charge_efficiency
        - flows.discharge_kwh / battery.discharge_efficiency
    )
    return [slot.is_same(used, came), slot.is_same(flows.stored_kwh, inside)]


def pv_gives_what_it_has(slot: Slot) -> list[Array]:
    """No meter runs backwards, and PV that may not be held back is not, but for what no inverter
    carries.
    """
    flows = slot.flows
    nonnegative = [
        slot.at_most(0.0, flow)
        for flow in (flows.import_kwh, flows.export_kwh, flows.curtailed_kwh)
    ]
    held = slot.may_hold_back_kwh if slot.given.limits.inverters is None else slot.given.pv_kwh
    return [*nonnegative, slot.at_most(flows.curtailed_kwh, held)]


def pv_is_held_back_as_told(slot: Slot) -> list[Array]:
    """PV gives no more than it is told, and exports nothing where it shall not, unless the
    connection carries all that it may and needs more.
    """
    given = slot.given
    flows = slot.flows
    safe = slot.safe
    used = given.pv_kwh - flows.curtailed_kwh
    full = slot.at_most(slot.most_import_kwh, flows.import_kwh)
    limited = slot.at_most(used, safe.pv_limit_kw * given.hours + slot.beyond_kwh.sum(axis=0))
    off = (safe.curtailment < Curtailment.ALL) | slot.is_nothing(used)
    kept = (safe.curtailment != Curtailment.EXPORT) | slot.at_most(
        flows.export_kwh, flows.discharge_kwh.sum(axis=0)
    )
    return [full | limited, full | off, kept]


def excess_is_what_passes_the_limits(slot: Slot) -> list[Array]:
    """Import and export stay within the connection's limits but for ``excess_kwh``, which is never
    less than nothing, nor more than what is beyond.
    """
    flows = slot.flows
    beyond = np.maximum(flows.import_kwh - slot.most_import_kwh, 0.0) + np.maximum(
        flows.export_kwh - slot.most_export_kwh, 0.0
    )
    return [
        slot.at_most(0.0, flows.excess_kwh),
        slot.at_most(flows.excess_kwh, beyond),
        slot.at_most(beyond, flows.excess_kwh + TRACE_KWH),
    ]


def contracts_hold(slot: Slot) -> list[Array]:
    """What may not charge from the grid takes surplus alone, what may not discharge to it serves
    the load alone, in sum over such batteries.
    """
    given = slot.given
    flows = slot.flows
    battery = slot.given.limits.batteries
    used = given.pv_kwh - flows.curtailed_kwh
    surplus = np.maximum(used - given.load_kwh, slot.beyond_kwh.sum(axis=0))
    charged = np.where(battery.charge_from_grid, 0.0, flows.charge_kwh).sum(axis=0)
    given_off = np.where(battery.discharge_to_grid, 0.0, flows.discharge_kwh).sum(axis=0)
    return [
        slot.at_most(charged, np.maximum(surplus, 0.0)),
        slot.at_most(given_off, np.maximum(given.load_kwh - used, 0.0)),
    ]


def only_its_mode_trades_with_the_grid(slot: Slot) -> list[Array]:
    """Only the mode ``charge`` buys for a battery, only ``export`` sells from it, each with no more
    than the power asked of it.
    """
    given = slot.given
    flows = slot.flows
    safe = slot.safe
    used = given.pv_kwh - flows.curtailed_kwh
    surplus = np.maximum(np.maximum(used - given.load_kwh, slot.beyond_kwh.sum(axis=0)), 0.0)
    buys = np.where(safe.mode == Mode.CHARGE, safe.power_kw * given.hours, 0.0).sum(axis=0)
    sells = np.where(safe.mode == Mode.EXPORT, safe.power_kw * given.hours, 0.0).sum(axis=0)
    deficit = np.maximum(given.load_kwh - used, 0.0)
    return [
        slot.at_most(flows.charge_kwh.sum(axis=0), surplus + buys),
        slot.at_most(flows.discharge_kwh.sum(axis=0), deficit + sells),
    ]


def excess_is_no_more_than_at_rest(slot: Slot) -> list[Array]:
    """With the batteries at rest and PV held back as far as it may be, or not at all, the
    connection would exceed its limits by as much or more.
    """
    net = slot.given.load_kwh - slot.passing_kwh
    drawn = np.maximum(net - slot.most_import_kwh, 0.0)
    fed = np.where(slot.given.limits.curtailable, 0.0, np.maximum(-net - slot.most_export_kwh, 0.0))
    return [slot.at_most(slot.flows.excess_kwh, drawn + fed + TRACE_KWH)]


def inverters_carry_what_they_may(slot: Slot) -> list[Array]:
    """What a battery gives passes its inverter.

    What it takes beyond what that carries is PV on its own side.
    """
    given = slot.given
    flows = slot.flows
    inverters = slot.given.limits.inverters
    limit = inverters.limit_kw * given.hours
    own = inverters.pv_share * given.pv_kwh
    return [slot.at_most(flows.discharge_kwh, limit), slot.at_most(flows.charge_kwh, limit + own)]


@dataclass(frozen=True)
class Action:
    """Something else that batteries and PV could have done in a slot, kWh on the AC side."""

    charge_kwh: Array
    discharge_kwh: Array
    held_back_kwh: Array

    def is_possible(self, slot: Slot) -> list[Array]:
        """What counts as possible: a battery gives or takes within its limits, PV is held back
        where it may be.

        A battery takes no more than PV leaves beside the load, after PV that stands beyond its
        inverter, and its least power or nothing.
        """
        charge = self.charge_kwh
        discharge = self.discharge_kwh
        held_back = self.held_back_kwh
        beyond = np.minimum(slot.beyond_kwh, slot.most_charge_kwh)
        may_hold_back = np.where(slot.given.limits.curtailable, slot.passing_kwh, 0.0)
        return [
            (charge >= 0.0)
            & (charge + beyond <= slot.most_charge_kwh)
            & ((charge <= 0.0) | (charge + beyond >= slot.least_charge_kwh)),
            (discharge >= 0.0)
            & (discharge <= slot.most_discharge_kwh)
            & ((charge <= 0.0) | (discharge <= 0.0)),
            (held_back >= 0.0) & (held_back <= may_hold_back),
            charge.sum(axis=0)
            <= np.maximum(slot.passing_kwh - held_back - slot.given.load_kwh, 0.0),
            *self._fits_inverters(slot),
        ]

    def _fits_inverters(self, slot: Slot) -> list[Array]:
        """What a battery gives or takes passes its inverter beside PV, of which it is enough to
        hold back what is in the way.
        """
        given = slot.given
        inverters = slot.given.limits.inverters
        if inverters is None:
            return []
        sun = inverters.convert(given.pv_kwh, given.hours)
        room = sun.room_kwh + np.minimum(self.held_back_kwh, sun.own_kwh)
        return [self.discharge_kwh <= room, self.charge_kwh <= sun.intake_kwh]

    def excess_kwh(self, slot: Slot) -> Array:
        """What the connection would carry beyond its limits."""
        net = (
            slot.given.load_kwh
            - slot.passing_kwh
            + self.held_back_kwh
            + self.charge_kwh.sum(axis=0)
            - self.discharge_kwh.sum(axis=0)
        )
        return np.maximum(net - slot.most_import_kwh, 0.0) + np.maximum(
            -net - slot.most_export_kwh, 0.0
        )


def no_action_has_less_excess(slot: Slot, action: Action) -> list[Array]:
    """Whatever else had been possible, the connection would exceed its limits by as much or
    more.
    """
    traces = TRACE_KWH * len(slot.given.stored_kwh)
    return [slot.at_most(slot.flows.excess_kwh, action.excess_kwh(slot) + traces)]


CLAIMS: tuple[Claim, ...] = (
    stored_energy_sessions_within_its_limits,
    power_sessions_within_its_limits,
    charging_starts_at_its_least_power,
    battery_and_meter_run_one_way,
    energy_is_conserved,
    pv_gives_what_it_has,
    pv_is_held_back_as_told,
    excess_is_what_passes_the_limits,
    contracts_hold,
    only_its_mode_trades_with_the_grid,
    excess_is_no_more_than_at_rest,
)
