"""A vehicle's demand over the horizon, as values on the plan's slots."""

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
_LITTLE_KWH = 1e-4


@dataclass(frozen=True, slots=True)
class ChargingSession:
    """A stay at the charger: within slots ``first`` to ``end`` (exclusive), ``required_kwh`` stored
    at its end.

    ``open`` says that the stay goes on beyond the horizon: then ``required_kwh`` is what cannot be
    charged afterwards any more. ``arrival_kwh`` is what the vehicle holds when the stay begins,
    None what the stay before left; ``least_kwh`` what it then holds for certain, ``most_kwh`` what
    it is charged to at most, ``full_kwh`` where what it has to charge ends. ``worth_from_kwh`` to
    ``worth_to_kwh`` stored have a worth of their own, ``extra_value`` where given. ``gives`` says
    that it may supply the house, down to ``reserve_kwh``; ``surplus_only`` that it takes nothing
    but PV surplus beside what it has to charge.
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

    @property
    def left_least_kwh(self) -> float:
        """What it holds for certain when the stay ends."""
        return self.reserve_kwh if self.gives else self.least_kwh


@dataclass(frozen=True, slots=True)
class VehicleDemand:
    """A vehicle over the horizon: what it holds at the start, hours at the charger per slot
    (``(slots,)``), and its stays in order.

    ``least_charge_kwh`` (same shape) is what each slot charges at least until the vehicle is full;
    where its owner has ``pinned`` it, no more either. ``charging`` says that it is charging when
    the horizon begins.
    """

    vehicle: ElectricVehicle
    stored_kwh: float
    plugged_hours: FloatArray
    stays: tuple[ChargingSession, ...]
    least_charge_kwh: FloatArray
    pinned: BoolArray
    charging: bool = False

    def leave(self, where: BoolArray) -> "VehicleDemand":
        """Return the demand of a vehicle that may not charge in some slots."""
        return replace(
            self,
            plugged_hours=np.where(where, 0.0, self.plugged_hours),
            least_charge_kwh=np.where(where, 0.0, self.least_charge_kwh),
        )

    def pin(self, charge_kwh: FloatArray, where: BoolArray) -> "VehicleDemand":
        """Return the demand of a vehicle that has to charge so much in some slots, no less and no
        more than its least power lets it.
        """
        least_kwh = np.maximum(charge_kwh, self.vehicle.power_ranges[0][0] * self.plugged_hours)
        return replace(
            self,
            least_charge_kwh=np.where(where, least_kwh, self.least_charge_kwh),
            pinned=self.pinned | where,
        )

    @property
    def step_kwh(self) -> FloatArray:
        """What charging with its least power stores in each slot, shape ``(slots,)``."""
        return np.asarray(
            self.vehicle.power_ranges[0][0] * self.plugged_hours * self.vehicle.charge_efficiency
        )

    @property
    def gap_kwh(self) -> FloatArray:
        """What a slot may leave to a full vehicle because none of its powers brings it, shape
        ``(slots,)``.
        """
        gaps = [higher[0] - lower[1] for lower, higher in pairwise(self.vehicle.power_ranges)]
        return np.asarray(sum(gaps) * self.plugged_hours * self.vehicle.charge_efficiency)

    def find_full(self, charge_kwh: FloatArray, give_kwh: FloatArray) -> BoolArray:
        """Return the slots in which a vehicle is full: at their end, or at their start so far that
        its least power would overfill it.
        """
        end = self.stored_after(charge_kwh, give_kwh)
        full = np.full(charge_kwh.size, np.inf)
        for stay in self.stays:
            full[stay.first : stay.end] = stay.full_kwh
        begin = (
            end
            - charge_kwh * self.vehicle.charge_efficiency
            + give_kwh / self.vehicle.discharge_efficiency
        )
        return np.asarray(
            (end >= full - self.gap_kwh - _LITTLE_KWH)
            | (begin > full - self.step_kwh - _LITTLE_KWH)
        )

    def lack_least(self, charge_kwh: FloatArray, give_kwh: FloatArray) -> FloatArray:
        """Return what each slot lacks of what has to be charged, kWh, shape ``(slots,)``.

        Nothing while the vehicle is full.
        """
        return np.where(
            self.find_full(charge_kwh, give_kwh),
            0.0,
            np.maximum(self.least_charge_kwh - charge_kwh, 0.0),
        )

    def slots_of(self, name: str) -> FloatArray:
        """Return 1 in the slots of stays that ``gives`` or ``surplus_only`` holds for, 0 elsewhere,
        shape ``(slots,)``.
        """
        holds = np.zeros(self.plugged_hours.size)
        for stay in self.stays:
            holds[stay.first : stay.end] = getattr(stay, name)
        return holds

    def stored_after(self, charge_kwh: FloatArray, give_kwh: FloatArray) -> FloatArray:
        """Return what is stored at the end of each slot when so much is charged and given, kWh.

        While it is away, what it left with.
        """
        into = (
            charge_kwh * self.vehicle.charge_efficiency
            - give_kwh / self.vehicle.discharge_efficiency
        )
        stored = self.stored_kwh + np.cumsum(into)
        for stay in self.stays:
            if stay.arrival_kwh is not None and stay.first < stored.size:
                stored[stay.first :] += stay.arrival_kwh + into[stay.first] - stored[stay.first]
        return stored


def read_vehicle(
    vehicle: ElectricVehicle, state: VehicleState, timeline: Timeline, *, zone: tzinfo = UTC
) -> VehicleDemand:
    """Return a vehicle's demand over a timeline; refusals name times in ``zone``.

    Raises:
        InvalidInputError: a session ends before it begins, overlaps another, or wants more than the
            vehicle's limit.
    """
    plugged = np.zeros(timeline.count)
    least = np.zeros(timeline.count)
    stays: list[ChargingSession] = []
    ordered = sorted(enumerate(state.sessions), key=lambda each: each[1].from_)
    for place, session in ordered:
        field = f"state.vehicles.{vehicle.name}.sessions.{place}"
        if session.to <= session.from_:
            raise refuse(
                "session-reversed", field=field, value=session.to.astimezone(zone).isoformat()
            )
        for name in ("target_soc", "min_soc"):
            soc = getattr(session, name)
            if soc is not None and soc > vehicle.max_soc:
                raise refuse(
                    "session-soc-beyond",
                    field=f"{field}.{name}",
                    value=soc,
                    max_soc=vehicle.max_soc,
                    name=vehicle.name,
                )
        if session.min_power_kw is not None and session.min_power_kw > vehicle.most_charge_kw:
            most_kw = vehicle.most_charge_kw
            raise refuse(
                "session-power-beyond",
                field=f"{field}.min_power_kw",
                value=session.min_power_kw,
                most_kw=most_kw,
                name=vehicle.name,
            )
    for (_, before), (place, session) in pairwise(ordered):
        if session.from_ < before.to:
            field = f"state.vehicles.{vehicle.name}.sessions.{place}.from"
            begin = session.from_.astimezone(zone).isoformat()
            raise refuse(
                "session-overlaps",
                field=field,
                value=begin,
                to=before.to.astimezone(zone).isoformat(),
            )
    for _, session in ordered:
        overlap = timeline.overlap_hours(session.from_, session.to)
        plugged += overlap
        least += (
            overlap * max(session.min_power_kw, vehicle.power_ranges[0][0])
            if session.min_power_kw
            else 0.0
        )
        inside = np.flatnonzero(overlap > 0)
        if inside.size:
            # A slot in which one stay ends and the next begins belongs to the first.
            end = int(inside[-1]) + 1
            first = min(max(int(inside[0]), stays[-1].end if stays else 0), end)
            stays.append(
                _read_stay(
                    (vehicle, state),
                    session,
                    (first, end),
                    timeline,
                    before=stays[-1] if stays else None,
                )
            )
    nothing = np.zeros(timeline.count, dtype=bool)
    return VehicleDemand(
        vehicle,
        state.soc * vehicle.capacity_kwh,
        np.minimum(plugged, timeline.hours),
        tuple(stays),
        least,
        nothing,
        state.charging,
    )


def _read_stay(
    car: tuple[ElectricVehicle, VehicleState],
    session: VehicleSession,
    slots: tuple[int, int],
    timeline: Timeline,
    *,
    before: ChargingSession | None,
) -> ChargingSession:
    vehicle, state = car
    capacity = vehicle.capacity_kwh
    # What it holds when the stay begins, None where that is what the stay before left, and what it
    # holds at least.
    arrival: float | None = None
    if session.arrival_soc is not None and session.from_ > timeline.begin:
        arrival = least = session.arrival_soc * capacity
    elif before is None:
        arrival = least = state.soc * capacity
    else:
        least = before.left_least_kwh
    limit = min(vehicle.max_soc, 1.0 if session.limit_soc is None else session.limit_soc) * capacity
    # Above its limit it keeps what it has; what an earlier stay of the same charge may reach, a
    # later one need not undo.
    most = max(limit, least, before.most_kwh if before and arrival is None else 0.0)
    reserve = (vehicle.min_soc if session.min_soc is None else session.min_soc) * capacity
    gives = vehicle.discharge_limit_kw > 0 and session.target_soc is not None and reserve <= least
    target = (session.target_soc or 0.0) * capacity
    if (
        most - least
        < vehicle.power_ranges[0][0] * float(timeline.hours.max()) * vehicle.charge_efficiency
    ):
        target = min(target, least)  # so full that its least power would overfill it within a slot
    later_hours = max((session.to - timeline.end) / HOUR, 0.0)
    worth_from = target if gives else max(target, least)
    worthy = (
        gives
        or session.target_soc is None
        or session.limit_soc is not None
        or session.extra_value is not None
    )
    return ChargingSession(
        *slots,
        until=session.to.astimezone(UTC),
        target_soc=session.target_soc or 0.0,
        required_kwh=max(
            target - later_hours * vehicle.most_charge_kw * vehicle.charge_efficiency, 0.0
        ),
        open=later_hours > 0 and session.target_soc is not None,
        target_kwh=target,
        arrival_kwh=arrival,
        least_kwh=least,
        most_kwh=most,
        full_kwh=limit,
        worth_from_kwh=worth_from,
        worth_to_kwh=max(limit, worth_from) if worthy else worth_from,
        extra_value=session.extra_value,
        reserve_kwh=reserve,
        gives=gives,
        surplus_only=session.target_soc is None,
    )
