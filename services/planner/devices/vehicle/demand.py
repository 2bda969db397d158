"""Read a vehicle's demand over the horizon as values on the plan's slots."""

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise

import numpy as np

from luna.contracts.plan.state import VehicleSession, VehicleState
from luna.energy.devices.vehicle import ElectricVehicle
from luna.energy.physics.mode import BoolArray
from luna.energy.refusals import refuse
from luna.energy.timeline import FloatArray, Timeline

HOUR = timedelta(hours=1)
WATTS = 1000
_LITTLE_KWH = 1e-4
# A measured power is so much of a phase's above the rated one: the voltage differs.
_VOLTAGE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class ChargingSession:
    """A session at the charger, and the energy that the vehicle needs at its end.

    All energies are energy stored in the vehicle, kWh.

    Args:
        first: its first slot.
        end: the slot after its last.
        until: its end.
        target_soc: the state of charge wanted at its end.
        required_kwh: the energy needed at its end; of an ``open`` session without the part that can
            still be charged after the horizon.
        open: whether it goes on beyond the horizon.
        target_kwh: the energy wanted at its end.
        arrival_kwh: energy at its begin; None: as much as the session before left.
        least_kwh: the least energy at its begin.
        most_kwh: the most energy it may reach.
        full_kwh: the energy up to which a minimum power has to be charged.
        worth_from_kwh: energy from which on more has a value.
        worth_to_kwh: energy up to which more has a value.
        extra_value: that value per kWh; None: the value of energy left at the horizon.
        reserve_kwh: energy below which the vehicle does not supply the house.
        gives: whether it may supply the house.
        surplus_only: whether it takes PV surplus alone, beside its minimum.
        left_out: whether nothing is planned, for the vehicle draws nothing.
    """

    first: int
    end: int
    until: datetime
    target_soc: float
    required_kwh: float
    open: bool
    target_kwh: float
    arrival_kwh: float | None
    least_kwh: float
    most_kwh: float
    full_kwh: float
    worth_from_kwh: float
    worth_to_kwh: float
    extra_value: float | None
    reserve_kwh: float
    gives: bool
    surplus_only: bool
    left_out: bool

    @property
    def left_least_kwh(self) -> float:
        """The least energy at the end of the session."""
        return self.reserve_kwh if self.gives else self.least_kwh


@dataclass(frozen=True, slots=True)
class VehicleDemand:
    """A vehicle over the horizon; arrays of shape ``(slots,)``.

    Args:
        vehicle: the owner's declaration.
        stored_kwh: energy stored at the start.
        plugged_hours: hours at the charger.
        sessions: its sessions in order.
        least_charge_kwh: the least energy to charge, until the vehicle is full.
        pinned: where its owner has pinned ``least_charge_kwh``: no more is charged either.
        charging: whether it is charging when the horizon begins.
    """

    vehicle: ElectricVehicle
    stored_kwh: float
    plugged_hours: FloatArray
    sessions: tuple[ChargingSession, ...]
    least_charge_kwh: FloatArray
    pinned: BoolArray
    charging: bool = False

    def leave(self, where: BoolArray) -> "VehicleDemand":
        """Return the demand without charging in some slots."""
        return replace(
            self,
            plugged_hours=np.where(where, 0.0, self.plugged_hours),
            least_charge_kwh=np.where(where, 0.0, self.least_charge_kwh),
        )

    def pin(self, charge_kwh: FloatArray, where: BoolArray) -> "VehicleDemand":
        """Return the demand with the charge pinned in some slots, at least to the least power."""
        least_kwh = np.maximum(charge_kwh, self.vehicle.power_ranges[0][0] * self.plugged_hours)
        return replace(
            self,
            least_charge_kwh=np.where(where, least_kwh, self.least_charge_kwh),
            pinned=self.pinned | where,
        )

    @property
    def step_kwh(self) -> FloatArray:
        """The energy stored by charging with the least power, ``(slots,)``."""
        least_kw = self.vehicle.power_ranges[0][0]
        return np.asarray(least_kw * self.plugged_hours * self.vehicle.charge_efficiency)

    @property
    def gap_kwh(self) -> FloatArray:
        """The energy that a full vehicle may lack for want of a fitting power, ``(slots,)``."""
        gaps_kw = [higher[0] - lower[1] for lower, higher in pairwise(self.vehicle.power_ranges)]
        return np.asarray(sum(gaps_kw) * self.plugged_hours * self.vehicle.charge_efficiency)

    def find_full(self, charge_kwh: FloatArray, give_kwh: FloatArray) -> BoolArray:
        """Return the slots in which the vehicle is full.

        It is full at a slot's end, or at its start so far that its least power would overfill it.
        """
        vehicle = self.vehicle
        end = self.stored_after(charge_kwh, give_kwh)
        full = np.full(charge_kwh.size, np.inf)
        for session in self.sessions:
            full[session.first : session.end] = session.full_kwh
        begin = (
            end - charge_kwh * vehicle.charge_efficiency + give_kwh / vehicle.discharge_efficiency
        )
        full_at_end = end >= full - self.gap_kwh - _LITTLE_KWH
        overfilled = begin > full - self.step_kwh - _LITTLE_KWH
        return np.asarray(full_at_end | overfilled)

    def lack_least(self, charge_kwh: FloatArray, give_kwh: FloatArray) -> FloatArray:
        """Return the energy missing of each slot's minimum, kWh, ``(slots,)``.

        It is 0 while the vehicle is full.
        """
        missing = np.maximum(self.least_charge_kwh - charge_kwh, 0.0)
        return np.where(self.find_full(charge_kwh, give_kwh), 0.0, missing)

    def slots_of(self, name: str) -> FloatArray:
        """Return 1 in slots of sessions with this option, else 0, ``(slots,)``."""
        holds = np.zeros(self.plugged_hours.size)
        for session in self.sessions:
            holds[session.first : session.end] = getattr(session, name)
        return holds

    def stored_after(self, charge_kwh: FloatArray, give_kwh: FloatArray) -> FloatArray:
        """Return the energy stored at the end of each slot, kWh.

        While away it is the energy that the vehicle left with.

        Args:
            charge_kwh: energy charged, ``(slots,)``.
            give_kwh: energy given to the house, ``(slots,)``.
        """
        charged = charge_kwh * self.vehicle.charge_efficiency
        given = give_kwh / self.vehicle.discharge_efficiency
        net = charged - given
        stored = self.stored_kwh + np.cumsum(net)
        for session in self.sessions:
            if session.arrival_kwh is not None and session.first < stored.size:
                stored[session.first :] += (
                    session.arrival_kwh + net[session.first] - stored[session.first]
                )
        return stored


def read_vehicle(
    vehicle: ElectricVehicle, state: VehicleState, timeline: Timeline, *, zone: tzinfo = UTC
) -> VehicleDemand:
    """Return a vehicle's demand over a timeline; refusals name times in ``zone``.

    Raises:
        InvalidInputError: a session ends before it begins, overlaps another, or wants more than the
            vehicle's limit.
    """
    ordered = sorted(enumerate(state.sessions), key=_begin_of)
    for place, session in ordered:
        _check_session(vehicle, session, f"state.vehicles.{vehicle.name}.sessions.{place}", zone)
    _check_overlaps(vehicle, ordered, zone)
    vehicle = _limit_vehicle(vehicle, state.most_kw)
    plugged = np.zeros(timeline.count)
    least = np.zeros(timeline.count)
    sessions: list[ChargingSession] = []
    for _, session in ordered:
        overlap = timeline.overlap_hours(session.from_, session.to)
        left_out = is_left_out(state, session, timeline.begin)
        if not left_out:
            plugged += overlap
        if session.min_power_kw and not left_out:
            least_kw = max(session.min_power_kw, vehicle.power_ranges[0][0])
            least += overlap * min(least_kw, vehicle.most_charge_kw)
        inside = np.flatnonzero(overlap > 0)
        if not inside.size:
            continue
        before = sessions[-1] if sessions else None
        # A slot in which one session ends and the next begins belongs to the first.
        end = int(inside[-1]) + 1
        earliest = before.end if before else 0
        first = min(max(int(inside[0]), earliest), end)
        sessions.append(
            _read_session((vehicle, state), session, (first, end), timeline, before=before)
        )
    return VehicleDemand(
        vehicle,
        stored_kwh=state.soc * vehicle.capacity_kwh,
        plugged_hours=np.minimum(plugged, timeline.hours),
        sessions=tuple(sessions),
        least_charge_kwh=least,
        pinned=np.zeros(timeline.count, dtype=bool),
        charging=state.charging,
    )


def is_left_out(state: VehicleState, session: VehicleSession, begin: datetime) -> bool:
    """Return whether a session is planned without charging, for the vehicle draws nothing."""
    return state.most_kw == 0 and session.from_ <= begin


def _limit_vehicle(vehicle: ElectricVehicle, most_kw: float | None) -> ElectricVehicle:
    """Return the vehicle with the power that it draws at most.

    One that draws less than the least that its charger can be set to draws from fewer phases than
    that offers.
    """
    if not most_kw or most_kw >= vehicle.most_charge_kw:
        return vehicle
    limited = vehicle.model_copy(update={"charge_limit_kw": most_kw})
    if most_kw >= vehicle.power_ranges[0][0]:
        return limited
    charger = vehicle.charger
    if charger is None:
        # Switched on, it draws just that.
        return limited.model_copy(update={"min_charge_kw": most_kw})
    phase_kw = charger.max_current_a * charger.voltage_v / WATTS
    count = max(math.ceil(most_kw / phase_kw - _VOLTAGE_SHARE), 1)
    least_kw = min(count * charger.min_current_a * charger.voltage_v / WATTS, most_kw)
    return limited.model_copy(
        update={
            "min_charge_kw": min(vehicle.min_charge_kw, least_kw),
            "charger": charger.model_copy(update={"phases": (count,)}),
        }
    )


def _begin_of(numbered: tuple[int, VehicleSession]) -> datetime:
    return numbered[1].from_


def _check_session(
    vehicle: ElectricVehicle, session: VehicleSession, field: str, zone: tzinfo
) -> None:
    """Refuse a session that is reversed or wants more than the vehicle's limits."""
    if session.to <= session.from_:
        raise refuse(
            "ends-before-start", field=field, value=session.to.astimezone(zone).isoformat()
        )
    for name in ("target_soc", "min_soc"):
        soc = getattr(session, name)
        if soc is not None and soc > vehicle.max_soc:
            raise refuse(
                "soc-beyond",
                field=f"{field}.{name}",
                value=soc,
                max_soc=vehicle.max_soc,
                name=vehicle.name,
            )
    if session.min_power_kw is not None and session.min_power_kw > vehicle.most_charge_kw:
        raise refuse(
            "power-beyond",
            field=f"{field}.min_power_kw",
            value=session.min_power_kw,
            most=vehicle.most_charge_kw,
            device=vehicle.name,
        )


def _check_overlaps(
    vehicle: ElectricVehicle, ordered: list[tuple[int, VehicleSession]], zone: tzinfo
) -> None:
    """Refuse a session that begins before the one before it ends."""
    for (_, before), (place, session) in pairwise(ordered):
        if session.from_ < before.to:
            raise refuse(
                "session-overlaps",
                field=f"state.vehicles.{vehicle.name}.sessions.{place}.from",
                value=session.from_.astimezone(zone).isoformat(),
                to=before.to.astimezone(zone).isoformat(),
            )


def _read_session(
    car: tuple[ElectricVehicle, VehicleState],
    session: VehicleSession,
    slots: tuple[int, int],
    timeline: Timeline,
    *,
    before: ChargingSession | None,
) -> ChargingSession:
    vehicle, state = car
    capacity = vehicle.capacity_kwh
    # The energy at the begin of the session, None for as much as the session before left, and the
    # least that it can be.
    arrival: float | None = None
    if session.arrival_soc is not None and session.from_ > timeline.begin:
        arrival = least = session.arrival_soc * capacity
    elif before is None:
        arrival = least = state.soc * capacity
    else:
        least = before.left_least_kwh
    limit_soc = 1.0 if session.limit_soc is None else session.limit_soc
    limit = min(vehicle.max_soc, limit_soc) * capacity
    # A vehicle above its limit keeps its charge; a later session need not undo what an earlier
    # session of the same charge may reach.
    reached_before = before.most_kwh if before and arrival is None else 0.0
    most = max(limit, least, reached_before)
    reserve = (vehicle.min_soc if session.min_soc is None else session.min_soc) * capacity
    gives = vehicle.discharge_limit_kw > 0 and session.target_soc is not None and reserve <= least
    target = (session.target_soc or 0.0) * capacity
    longest_slot = float(timeline.hours.max())
    least_step = vehicle.power_ranges[0][0] * longest_slot * vehicle.charge_efficiency
    if most - least < least_step:
        # So full that its least power would overfill it within a slot.
        target = min(target, least)
    later_hours = max((session.to - timeline.end) / HOUR, 0.0)
    later_charge = later_hours * vehicle.most_charge_kw * vehicle.charge_efficiency
    worth_from = target if gives else max(target, least)
    has_value = session.target_soc is None or session.extra_value is not None
    values_more = gives or has_value or session.limit_soc is not None
    worth_to = max(limit, worth_from) if values_more else worth_from
    first, end = slots
    return ChargingSession(
        first=first,
        end=end,
        until=session.to.astimezone(UTC),
        target_soc=session.target_soc or 0.0,
        required_kwh=max(target - later_charge, 0.0),
        open=later_hours > 0 and session.target_soc is not None,
        target_kwh=target,
        arrival_kwh=arrival,
        least_kwh=least,
        most_kwh=most,
        full_kwh=limit,
        worth_from_kwh=worth_from,
        worth_to_kwh=worth_to,
        extra_value=session.extra_value,
        reserve_kwh=reserve,
        gives=gives,
        surplus_only=session.target_soc is None,
        left_out=is_left_out(state, session, timeline.begin),
    )
