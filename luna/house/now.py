"""Compute the current state of a house, once for page, Home Assistant, messages and answers.

It has battery runs and reasons, next device uses, costs and savings of days, charging sessions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from luna.contracts.control import BatterySetpoint, ControlState, Override
from luna.contracts.device_runs import PlannedRun
from luna.contracts.live_steering import LiveSteering
from luna.contracts.plan import PlanReply, SlotReply
from luna.energy.devices.battery import BATTERIES
from luna.energy.devices.kind import DeviceUseKind
from luna.energy.operator_limits import OperatorLimit
from luna.energy.proposed_runs import LITTLE_KWH, ProposedSlot, find_proposed_runs, moved_kwh
from luna.energy.site import Site
from luna.energy.timeline import SLOT, floor_to
from luna.house.findings import SiteFinding
from luna.house.site_day import Day, find_slot, total
from luna.platform.database.plan_faults import PlanFault
from luna.platform.database.plans import PlannedSlots
from luna.words import Numbers
from luna.words.house import say_level_decided
from luna.words.notes import DOUBTS
from luna.words.retold_reasons import retell_reason, retell_run

DAY = timedelta(days=1)
# A quarter-hour is measured after its end; two missing ones are no coincidence.
OLD_VALUES = timedelta(minutes=45)
# Tolerance of states of charge, which people read in whole per cent.
LITTLE_SOC = 0.01
# Tolerance of a limit: inverters round limits to half a per cent, plus the rounding of the states
# of charge that they report.
LEVEL_STEP = 0.0075
STORING = ("self_consumption", "save")
SERVING = ("self_consumption", "supply")
# Active modes, reported before passive ones.
DEEDS = ("export", "charge")
PROBLEMS = frozenset(
    {
        "no_plan",
        "plan_old",
        "device_silent",
        "device_disobeys",
        "device_held",
        "device_left",
        "device_conflict",
        "sensors_silent",
        "device_takes_nothing",
        "car_departure_at_risk",
    }
)
# Findings on devices that deviate from the plan.
DEVIATIONS = frozenset({"device_silent", "device_disobeys", "device_spared", "device_kept"})
Basis = Literal["measured", "planned", "assumed"]


@dataclass(frozen=True, slots=True)
class HouseFigure:
    """A value and its basis.

    Attributes:
        basis: meters alone, a plan, or a plan on assumptions, such as unpublished prices.
        at: the instant of a value that may have changed since; None: it holds now.
    """

    value: float
    basis: Basis
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatteryRun:
    """A run of batteries in consecutive ``slots`` of a plan, from ``start`` to ``end``.

    Slots that move next to nothing belong to the neighbouring run.

    Attributes:
        by_level: the state of charge makes the set-point differ from the current slot's plan.
    """

    mode: str
    by_owner: bool
    start: datetime
    end: datetime
    slots: tuple[SlotReply, ...]
    by_level: bool = False

    @property
    def energy_kwh(self) -> float:
        """The energy that the mode is for: charged, sold, or supplied to the house."""
        energy_of = {"charge": charge_of, "export": sold_by}.get(self.mode, discharge_of)
        return sum(energy_of(slot) for slot in self.slots)

    @property
    def sold_kwh(self) -> float:
        """The feed-in meanwhile, from any source."""
        return sum(slot.export_kwh for slot in self.slots)

    @property
    def import_price(self) -> float | None:
        """Return the mean import price weighted by the batteries' charge, currency per kWh."""
        charged_kwh = sum(charge_of(slot) for slot in self.slots)
        if charged_kwh <= 0:
            return None
        return sum(charge_of(slot) * slot.import_price for slot in self.slots) / charged_kwh

    @property
    def earned(self) -> float:
        """Revenue of the batteries' feed-in, in currency."""
        return sum(sold_by(slot) * slot.export_price for slot in self.slots)

    @property
    def deciding(self) -> list[SlotReply]:
        """The slots of the run's own mode; merged slots have reasons of their own."""
        return [slot for slot in self.slots if slot.mode == self.mode] or [*self.slots]


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """The next planned use of a device."""

    name: str
    kind: DeviceUseKind
    run: PlannedRun
    basis: Basis


@dataclass(frozen=True, slots=True)
class PlannedSession:
    """A car's planned charging session: states of charge on arrival and departure, 0–1."""

    device: str
    start: datetime
    end: datetime
    arrives_soc: HouseFigure
    leaves_soc: HouseFigure


@dataclass(frozen=True, slots=True)
class PlannedHouse:
    """The part of the state that only a new plan, slot or measurement changes.

    None where unknown.

    Attributes:
        paid_yesterday: the account's cost of energy.
        saved_today: the plan's saving over the inverter's own self-consumption.
        saved_yesterday: Luna's saving, None without its control.
        soc: of all batteries together.
        battery_socs: of each battery, where there are several.
        slots: planned slots from yesterday to tomorrow, reused by the next reading.
        measured_until: end of the last fully measured quarter-hour of today or yesterday.
    """

    plan: PlanReply | None
    today: Day
    tomorrow: Day
    paid_yesterday: HouseFigure | None = None
    saved_today: HouseFigure | None = None
    saved_yesterday: HouseFigure | None = None
    soc: HouseFigure | None = None
    battery_socs: Mapping[str, HouseFigure] = field(default_factory=dict)
    uses: tuple[DeviceUse, ...] = ()
    sessions: tuple[PlannedSession, ...] = ()
    slots: PlannedSlots | None = None
    measured_until: datetime | None = None

    @property
    def paid_today(self) -> HouseFigure | None:
        """Return the cost of energy today so far, by the account."""
        paid = self.today.paid_so_far
        return None if paid is None else HouseFigure(paid, "measured")

    @property
    def cost_today(self) -> HouseFigure | None:
        """Energy cost of today, without monthly fees."""
        return self.figure_of(self.today.cost, self.today)

    @property
    def cost_tomorrow(self) -> HouseFigure | None:
        """Energy cost of tomorrow, without monthly fees."""
        return self.figure_of(self.tomorrow.cost, self.tomorrow)

    @property
    def load_today(self) -> HouseFigure | None:
        """Load of today, kWh."""
        return self.figure_of(total(self.today.load_kwh), self.today, priced=False)

    @property
    def load_tomorrow(self) -> HouseFigure | None:
        """Load of tomorrow, kWh."""
        return self.figure_of(total(self.tomorrow.load_kwh), self.tomorrow, priced=False)

    @property
    def pv_today(self) -> HouseFigure | None:
        """PV production of today, kWh."""
        return self.figure_of(total(self.today.pv_kwh), self.today, priced=False)

    @property
    def pv_tomorrow(self) -> HouseFigure | None:
        """PV production of tomorrow, kWh."""
        return self.figure_of(total(self.tomorrow.pv_kwh), self.tomorrow, priced=False)

    @property
    def pv_to_come(self) -> float | None:
        """PV production of the rest of today, kWh."""
        return total(self.today.pv_kwh[self.today.measured == 0])

    def figure_of(
        self, value: float | None, day: Day, *, priced: bool = True
    ) -> HouseFigure | None:
        """Return a day's figure with its basis."""
        if value is None:
            return None
        if day.measured.all():
            return HouseFigure(value, "measured")
        if priced:
            return HouseFigure(value, basis_until(self.plan, day.timeline.end))
        return HouseFigure(value, "planned")


# No __slots__, which cached properties need.
@dataclass(frozen=True)
class HouseNow:
    """A site at ``now``: plan, control states of devices (batteries first), and findings.

    Attributes:
        planned_before: there was a plan at any time.
        fault: why there is no newer plan.
        limits: of the grid operator that hold, by start.
        steering: what it does at this moment, where the site is steered.
    """

    site: Site
    now: datetime
    planned: PlannedHouse
    states: tuple[ControlState, ...]
    vacation: bool
    findings: tuple[SiteFinding, ...]
    planned_before: bool
    fault: PlanFault | None = None
    limits: tuple[OperatorLimit, ...] = ()
    steering: LiveSteering | None = None

    @property
    def armed(self) -> bool:
        """Whether commands are sent to devices."""
        return bool(self.states) and self.states[0].armed_at is not None and not self.only_advised

    @property
    def only_advised(self) -> bool:
        """Whether the owner follows Luna's advice by hand."""
        return self.site.control is not None and self.site.control.by == "advice"

    @property
    def unknown_since(self) -> datetime | None:
        """Return since when a silent or repeating meter leaves the load unknown.

        None while it is measured.
        """
        until = self.planned.measured_until
        if until is None or self.now - until <= OLD_VALUES:
            return None
        return until

    @cached_property
    def slot(self) -> SlotReply | None:
        """The running slot of the plan."""
        return None if self.planned.plan is None else find_slot(self.planned.plan, self.now)

    @cached_property
    def override(self) -> Override | None:
        """The owner's current override of the batteries."""
        override = next(
            (state.override for state in self.states if state.device == BATTERIES), None
        )
        return override if override is not None and override.until > self.now else None

    @cached_property
    def runs(self) -> tuple[BatteryRun, ...]:
        """Return the battery runs from now on, as shown to people.

        Overrides take precedence over the plan.
        """
        plan = self.planned.plan
        current = self.slot
        if plan is None or current is None:
            return ()
        step = timedelta(minutes=plan.slot_minutes)
        slots = [slot for slot in plan.slots if slot.start >= current.start]
        proposed = find_proposed_runs([self._propose(slot) for slot in slots])
        ends = [*(slot.start for slot in slots[1:]), slots[-1].start + step]
        runs = []
        for run in proposed:
            run_slots = tuple(slots[run.first : run.end])
            begin = slots[run.first].start
            runs.append(BatteryRun(run.mode, run.by_owner, begin, ends[run.end - 1], run_slots))
        if self.setpoint is None or runs[0].by_owner:
            return tuple(runs)
        if runs[0].mode == self.setpoint.mode != current.mode:
            runs[0] = replace(runs[0], by_level=True)
        return tuple(runs)

    @cached_property
    def setpoint(self) -> BatterySetpoint | None:
        """The batteries' set-point for the current slot, by plan and state of charge.

        None without one, or where batteries differ.
        """
        state = self.state_of(BATTERIES)
        decision = state.decision if state is not None and self.armed else None
        if decision is None or decision.decided_by not in ("planner", "agent"):
            return None
        if decision.slot_start != floor_to(self.now, SLOT):
            return None
        setpoints = [
            setpoint
            for setpoint in decision.allowed.values()
            if isinstance(setpoint, BatterySetpoint)
        ]
        modes = {setpoint.mode for setpoint in setpoints}
        return setpoints[0] if len(modes) == 1 else None

    @property
    def level_reached(self) -> Literal["filled", "drained"] | None:
        """Whether the battery has reached a target, floor or ceiling of its set-point.

        None at the battery's own limits, too.
        """
        soc = self.planned.soc
        setpoint = self.setpoint
        if soc is None or soc.basis != "measured" or soc.at is not None:
            return None
        if setpoint is None or len(self.site.batteries) != 1:
            return None
        battery = self.site.batteries[0]
        ceiling, floor = _find_limits(setpoint)
        if ceiling is not None:
            is_reached = ceiling - LEVEL_STEP <= soc.value
            if is_reached and ceiling < battery.max_soc - LITTLE_SOC:
                return "filled"
        if floor is not None:
            is_reached = soc.value <= floor + LEVEL_STEP
            if is_reached and floor > battery.min_soc + LITTLE_SOC:
                return "drained"
        return None

    @cached_property
    def next_run(self) -> BatteryRun | None:
        """The next battery run within a day, an active one if there is any.

        None where the current run goes on.
        """
        soon = [run for run in self.runs[1:] if run.start < floor_to(self.now, SLOT) + DAY]
        active = [run for run in soon if run.mode in DEEDS]
        return next(iter(active or soon), None)

    @property
    def doubts(self) -> list[tuple[str, dict[str, Any]]]:
        """Return code and figures of the plan's notes on doubted sensor values."""
        plan = self.planned.plan
        if plan is None:
            return []
        return [(note.code, note.figures) for note in plan.notes if note.code in DOUBTS]

    @property
    def problems(self) -> list[SiteFinding]:
        """Return findings on something that worked before, and on failed commands.

        Neither a plan yet to come nor mere information.
        """
        problems = [finding for finding in self.findings if finding.code in PROBLEMS]
        if self.planned_before:
            return problems
        return [finding for finding in problems if finding.code != "no_plan"]

    @property
    def deviating_devices(self) -> list[SiteFinding]:
        """Return the findings on devices that deviate from the plan.

        Their set-point is not confirmed, not followed or not written, or they keep their mode.
        """
        return [finding for finding in self.findings if finding.code in DEVIATIONS]

    @property
    def battery_deviation(self) -> SiteFinding | None:
        """Return the finding on the batteries where they deviate from the plan."""
        for finding in self.deviating_devices:
            if finding.figures["device"] == BATTERIES:
                return finding
        return None

    def state_of(self, device: str) -> ControlState | None:
        """Return a device's control state."""
        return next((state for state in self.states if state.device == device), None)

    def use_of(self, device: str) -> DeviceUse | None:
        """Return the next use of a device, None without one."""
        return next((use for use in self.planned.uses if use.name == device), None)

    def _propose(self, slot: SlotReply) -> ProposedSlot:
        override = self.override
        by_owner = override is not None and slot.start < override.until
        if override is not None and by_owner:
            return ProposedSlot(override.mode, moved_by(slot, override.mode), by_owner)
        if self.setpoint is not None and slot is self.slot:
            return ProposedSlot(self.setpoint.mode)
        mode = slot.mode
        # Feeding in PV that could be stored makes the batteries hold deliberately: a run of its
        # own.
        if mode == "supply" and discharge_of(slot) < LITTLE_KWH <= slot.export_kwh:
            mode = "hold"
        return ProposedSlot(mode, moved_by(slot, mode), by_owner)


def format_run(run: BatteryRun, numbers: Numbers, *, now: datetime) -> str:
    """Return the reason of a battery run, with times relative to ``now``.

    Of several reasons that of the running slot counts, and before the run begins that of the slot
    with the most energy.
    """
    if run.by_owner:
        return retell_reason(
            {"code": "manual", "text": "", "short": "", "figures": {"time": run.end.isoformat()}},
            now,
            numbers,
        )
    if run.by_level:
        return say_level_decided(numbers.language)
    # With several batteries, a slot's reason belongs to the battery that moves most. In a run of
    # another battery it is empty.
    reasoned = [slot for slot in run.deciding if slot.reason.code] or run.deciding
    # A run that has begun starts with the running slot.
    reason = reasoned[0].reason
    if run.start > now:
        reason = max(reasoned, key=lambda slot: moved_by(slot, run.mode)).reason
    same_reason = [slot for slot in reasoned if slot.reason.code == reason.code]
    figures = [slot.reason.figures | {"start": slot.start} for slot in same_reason]
    if len(reasoned) < len(run.deciding) and run.mode in DEEDS and "kwh" in reason.figures:
        # The energy of the whole run, also of the slots in which another battery moves more.
        figures = [reason.figures | {"start": run.start, "kwh": run.energy_kwh}]
    return retell_run(reason.model_dump(), figures, now, numbers)


def charge_of(slot: SlotReply) -> float:
    """Return the charge of all batteries in a slot, kWh."""
    return sum(flow.charge_kwh for flow in slot.batteries.values())


def discharge_of(slot: SlotReply) -> float:
    """Return the discharge of all batteries in a slot, kWh."""
    return sum(flow.discharge_kwh for flow in slot.batteries.values())


def sold_by(slot: SlotReply) -> float:
    """Return the batteries' feed-in in a slot, kWh."""
    return min(discharge_of(slot), slot.export_kwh)


def moved_by(slot: SlotReply, mode: str) -> float:
    """Return the energy that a slot's mode is for, kWh."""
    return moved_kwh(
        mode,
        charge_kwh=charge_of(slot),
        discharge_kwh=discharge_of(slot),
        export_kwh=slot.export_kwh,
    )


def _find_limits(setpoint: BatterySetpoint) -> tuple[float | None, float | None]:
    """Return the highest and the lowest state of charge that a set-point allows."""
    ceiling: float | None = None
    if setpoint.mode == "charge":
        ceiling = setpoint.target_soc
    elif setpoint.mode in STORING:
        ceiling = setpoint.ceiling_soc
    floor: float | None = None
    if setpoint.mode == "export":
        floor = setpoint.target_soc
    elif setpoint.mode in SERVING:
        floor = setpoint.floor_soc
    return ceiling, floor


def basis_until(plan: PlanReply | None, end: datetime) -> Basis:
    """Return the basis of a plan's figure that extends to ``end``.

    Assumed beyond the last published price.
    """
    published_until = None if plan is None else plan.prices_known_until
    return "planned" if published_until is None or end <= published_until else "assumed"
