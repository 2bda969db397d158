"""Policies of the closed loop: the planner as in the replay, and by replies as the executor follows
them. Only this module knows the planner's internals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import get_args
from zoneinfo import ZoneInfo

import numpy as np

from bench.closed_loop.grid import Case
from luna.contracts.battery_setpoints import to_arrays
from luna.contracts.control import BatterySetpoint, PvSetpoint
from luna.contracts.plan import (
    BatteryState,
    Bias,
    ForecastSource,
    OutlookMessage,
    PlanOptions,
    PlanReply,
    PlanRequest,
    StateMessage,
    Terminal,
)
from luna.drivers.control.units.battery import Batteries
from luna.drivers.control.units.pv import NAME as PV
from luna.drivers.control.units.pv import PvArrays
from luna.drivers.control.units.unit import InForce, Setpoints, SlotPrices
from luna.energy.devices.battery import Mode as ModeWord
from luna.energy.devices.pv import PvMode
from luna.energy.physics.limits import SiteLimits
from luna.energy.physics.mode import Curtailment, Mode, SetPoint
from luna.energy.physics.safety import clamp
from luna.energy.policy import wants_plan
from luna.energy.schedule import Policy
from luna.energy.site import Site
from luna.energy.site.control import Control
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_dates
from services.executor.control_request import follow_plan
from services.planner.compiled import load_kernels
from services.planner.milp.solver import Solver
from services.planner.problem.build import TERMINAL_SHARE
from services.planner.problem.rolling_horizon import HORIZON, SiteKnowledge
from services.planner.problem.scenarios import ErrorScenarios
from services.planner.replay.policies import MAX_AGE, ModelPredictive
from services.planner.reply.reply import plan_request
from services.planner.service.inputs import describe_scenarios

# Slots between two plans of the replay's policy: an hour.
EVERY = timedelta(hours=1) // SLOT
REPLAYED = "replayed"
FOLLOWED = "followed"
_HELD_BACK = {
    "free": Curtailment.NONE,
    "limit": Curtailment.NONE,
    "no_export": Curtailment.EXPORT,
    "off": Curtailment.ALL,
}


class ReplayPolicy:
    """The policy of the replay: a new one at every local midnight, which takes over the modes in
    force and the plan's origin (docs/decisions/0027).
    """

    def __init__(self, case: Case) -> None:
        dates = local_dates(case.timeline, ZoneInfo(case.site.timezone))
        self._case, self._limits = case, SiteLimits.of(case.site)
        self._begins = {
            slot for slot, day in enumerate(dates) if slot == 0 or day != dates[slot - 1]
        }
        self._policy: ModelPredictive | None = None
        self._modes: list[Mode] = []

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points of the day's policy."""
        if self._policy is None or slot in self._begins:
            case = self._case
            origin = self._policy.origin if self._policy else None
            known = SiteKnowledge(
                case.site,
                case.forecasts,
                case.prices,
                ErrorScenarios(case.forecasts, case.foresight),
            )
            self._policy = ModelPredictive(
                known, case.timeline, EVERY, origin=origin, modes=self._modes
            )
        setpoint = self._policy.decide(slot, stored_kwh)
        self._modes = [
            Mode(mode) for mode in clamp(setpoint, stored_kwh, self._limits).mode[:, 0].tolist()
        ]
        return setpoint


class ReplyPolicy:
    """The set-points that the executor sends of plan replies, after its safety layer.

    As in the executor, a slot is followed before the next plan is made: a plan from the data at a
    slot's start is in force from the following slot on.
    """

    def __init__(self, case: Case) -> None:
        control = describe_control(case.site)
        self._case, self._errors = case, ErrorScenarios(case.forecasts, case.foresight)
        self._batteries, self._arrays = (
            Batteries(case.site, control),
            PvArrays(case.site, control.pv) if control.pv else None,
        )
        self._names = [battery.name for battery in case.site.batteries]
        self._modes: dict[str, str] = dict.fromkeys(self._names, Mode.SELF_CONSUMPTION.word)
        self._reply: PlanReply | None = None

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return the set-points sent to the inverter in ``slot``."""
        now = self._case.timeline.start + slot * SLOT
        soc = self._measure(stored_kwh)
        if self._reply is None:
            self._reply = self._plan(now, soc)
        in_force = InForce(soc, self._modes)
        told = {}
        for unit in (self._batteries, self._arrays):
            if unit is not None:
                demand = follow_plan(
                    self._reply,
                    unit,
                    lambda: self._price(now),
                    now=now,
                    max_age=MAX_AGE,
                    in_force=in_force,
                )
                told |= unit.make_safe(demand.requested, soc)
        self._modes = {name: told[name].mode for name in self._names}
        if self._wants_plan(now, soc):
            self._reply = self._plan(now, soc)
        return to_setpoint(self._names, told)

    def _plan(self, now: datetime, soc: Mapping[str, float]) -> PlanReply:
        return plan_request(self.request(now, soc), now=now, solver=Solver())

    def request(self, now: datetime, soc: Mapping[str, float]) -> PlanRequest:
        """Return the plan request from ``now`` on with the data known then, completed as for a
        stored site.
        """
        case = self._case
        forecast = case.forecasts.latest(now)
        timeline = Timeline(now, SLOT, HORIZON // SLOT)
        known = case.prices.ahead(now, timeline)
        bias = self._errors.factors(now)
        load, pv = (
            energy * factor
            for energy, factor in zip(case.forecasts.ahead(now, timeline), bias, strict=True)
        )
        erred = self._errors.days_of_errors(now, timeline, (load, pv))
        outlook = OutlookMessage(
            load_kwh=load.tolist(),
            pv_kwh=pv.tolist(),
            import_price=known.import_price.tolist(),
            export_price=known.export_price.tolist(),
            prices_known_until=known.known_until,
            forecast=ForecastSource(version=forecast.version, issued_at=forecast.issued_at),
            errors=describe_scenarios(erred) if erred else None,
            bias=Bias(load_factor=bias[0], pv_factor=bias[1]),
        )
        worth = TERMINAL_SHARE * max(case.prices.mean_import_price(now), 0.0)
        states = {
            name: BatteryState.model_validate({"soc": share, "mode": self._modes[name]})
            for name, share in soc.items()
        }
        options = PlanOptions(terminal=Terminal(kind="value", value=worth))
        return PlanRequest(
            site=case.site,
            start=now,
            outlook=outlook,
            state=StateMessage(batteries=states),
            options=options,
        )

    def _wants_plan(self, now: datetime, soc: Mapping[str, float]) -> bool:
        assert self._reply is not None  # noqa: S101  # it has just been followed
        age = self._reply.age(now)
        if not age:
            return False
        expected = self._reply.slots[age // SLOT - 1].batteries
        planned, actual = (
            np.array([[each[name]] for name in self._names])
            for each in ({name: flow.soc_end for name, flow in expected.items()}, soc)
        )
        return wants_plan(age, planned, actual)

    def _price(self, now: datetime) -> SlotPrices:
        known = self._case.prices.ahead(now, Timeline(now, SLOT, 1))
        return SlotPrices(float(known.import_price[0]), float(known.export_price[0]))

    def _measure(self, stored_kwh: FloatArray) -> dict[str, float]:
        share = {
            battery.name: kwh / battery.capacity_kwh
            for battery, kwh in zip(
                self._case.site.batteries, stored_kwh[:, 0].tolist(), strict=True
            )
        }
        return {name: min(max(soc, 0.0), 1.0) for name, soc in share.items()}


# The benchmark's columns that need the planner.
FOLLOWERS: dict[str, Callable[[Case], Policy]] = {REPLAYED: ReplayPolicy, FOLLOWED: ReplyPolicy}


def warm_up() -> None:
    """Load compiled kernels, so that no decision is charged for it."""
    load_kernels()


@cache
def _all_modes(words: object) -> dict[str, str]:
    return {word: word for word in get_args(words)}


def describe_control(site: Site) -> Control:
    """Return a section ``control`` with inverters that support every mode."""
    write = {"to": "inverter", "value": "{mode}"}
    batteries = [
        {"battery": battery.name, "modes": _all_modes(ModeWord), "writes": [write]}
        for battery in site.batteries
    ]
    return Control.model_validate(
        {
            "batteries": batteries,
            "pv": {"modes": _all_modes(PvMode), "writes": [write]} if site.pv else None,
        }
    )


def to_setpoint(names: Sequence[str], told: Setpoints) -> SetPoint:
    """Convert the executor's set-points to the simulation's arrays."""
    batteries = to_arrays(
        [each for each in (told[name] for name in names) if isinstance(each, BatterySetpoint)]
    )
    pv = told.get(PV)
    held, limit_kw = (pv.mode, pv.limit_kw) if isinstance(pv, PvSetpoint) else ("free", None)
    limit = np.inf if limit_kw is None or held != "limit" else limit_kw
    return replace(
        batteries,
        curtailment=np.array([_HELD_BACK[held]], dtype=np.int8),
        pv_limit_kw=np.array([limit]),
    )
