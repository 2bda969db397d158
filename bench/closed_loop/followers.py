"""What is asked in a closed loop: the planner as the replay has it, and as replies and the executor carry it. All that knows the planner's insides is here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import get_args
from zoneinfo import ZoneInfo

import numpy as np

from bench.closed_loop.grid import Case
from luna.contracts.plan import BatteryState, ForecastSource, OutlookMessage, PlanOptions, PlanReply, PlanRequest, StateMessage, Terminal
from luna.contracts.setpoint import BatterySetpoint, PvSetpoint
from luna.control import Control, PvMode
from luna.control import Mode as ModeWord
from luna.physics import Curtailment, Mode, SetPoint, SiteLimits, clamp
from luna.schedule import Policy
from luna.site import Site
from luna.timeline import SLOT, FloatArray, local_dates
from services.planner.answer.reply import plan_request
from services.planner.execution.arrays import NAME as PV
from services.planner.execution.arrays import Arrays
from services.planner.execution.batteries import Batteries
from services.planner.model.solver import Solver
from services.planner.policies import ModelPredictive
from services.planner.posing.problem import TERMINAL_SHARE
from services.planner.value.energy_value import load_kernels

# A plan an hour, as the executor asks for them; those of replies look as far ahead as the forecasts.
EVERY = timedelta(hours=1) // SLOT
REPLAYED, FOLLOWED = "replayed", "followed"
_MODES = {mode.word: mode for mode in Mode}
_HELD_BACK = {"free": Curtailment.NONE, "limit": Curtailment.NONE, "no_export": Curtailment.EXPORT, "off": Curtailment.ALL}


class ReplayPolicy:
    """The planner as the replay makes it: anew on every local day, with the modes in force handed on (docs/decisions/0027)."""

    def __init__(self, case: Case) -> None:
        dates = local_dates(case.timeline, ZoneInfo(case.site.timezone))
        self._case, self._limits = case, SiteLimits.of(case.site)
        self._begins = {slot for slot, day in enumerate(dates) if slot == 0 or day != dates[slot - 1]}
        self._modes: list[Mode] = []

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return what the policy of that day says."""
        if slot in self._begins:
            case = self._case
            self._policy = ModelPredictive(case.site, case.timeline, case.forecasts, case.prices, EVERY, modes=self._modes)
        setpoint = self._policy.decide(slot, stored_kwh)
        self._modes = [Mode(mode) for mode in clamp(setpoint, stored_kwh, self._limits).mode[:, 0].tolist()]
        return setpoint


class ReplyPolicy:
    """The set-points that the executor sends: those of a reply made every hour, through the safety layer, as an inverter then has them."""

    def __init__(self, case: Case) -> None:
        control = describe_control(case.site)
        self._case, self._solver = case, Solver()
        self._batteries, self._arrays = Batteries(case.site, control), Arrays(case.site, control.pv) if control.pv else None
        self._reply: PlanReply | None = None
        self._planned_at = -EVERY

    def decide(self, slot: int, stored_kwh: FloatArray) -> SetPoint:
        """Return what the inverter was told in ``slot``."""
        soc = self._measure(stored_kwh)
        if self._reply is None or not 0 <= slot - self._planned_at < EVERY:
            request = self.request(slot, soc)
            self._reply = plan_request(request, now=request.start, solver=self._solver)  # type: ignore[arg-type]
            self._planned_at = slot
        ahead = slot - self._planned_at
        told = self._batteries.read_plan(self._reply, ahead)
        allowed = self._batteries.make_safe(told if told is not None else self._batteries.leave_alone("plan_without_setpoints", None), soc)
        held = {} if self._arrays is None else self._arrays.make_safe(self._arrays.read_plan(self._reply, ahead) or {}, {})
        return to_setpoint(self._case.site, {**allowed, **held})

    def request(self, slot: int, soc: Mapping[str, float]) -> PlanRequest:
        """Return the request for a plan from ``slot`` on, of what is known then: as a stored site's is completed."""
        case = self._case
        now = case.timeline.start + slot * SLOT
        forecast = case.forecasts.latest(now)
        known = case.prices.ahead(now, forecast.timeline)
        series = {"import_price": known.import_price, "export_price": known.export_price}
        for name, expected in (("load", forecast.load_kwh), ("pv", forecast.pv_kwh)):
            series |= {f"{name}_kwh": expected.expected, f"{name}_p10_kwh": expected.p10, f"{name}_p90_kwh": expected.p90}
        source = ForecastSource(version=forecast.version, issued_at=forecast.issued_at)
        outlook = OutlookMessage(**{name: values.tolist() for name, values in series.items()}, prices_known_until=known.known_until, forecast=source)
        worth = TERMINAL_SHARE * max(case.prices.mean_import_price(now), 0.0)
        return PlanRequest(
            site=case.site,
            start=now,
            outlook=outlook,
            state=StateMessage(batteries={name: BatteryState(soc=share) for name, share in soc.items()}),
            options=PlanOptions(terminal=Terminal(kind="value", value=worth)),
        )

    def _measure(self, stored_kwh: FloatArray) -> dict[str, float]:
        share = {battery.name: kwh / battery.capacity_kwh for battery, kwh in zip(self._case.site.batteries, stored_kwh[:, 0].tolist(), strict=True)}
        return {name: min(max(soc, 0.0), 1.0) for name, soc in share.items()}


# Columns of the bench beside those that need no planner.
FOLLOWERS: dict[str, Callable[[Case], Policy]] = {REPLAYED: ReplayPolicy, FOLLOWED: ReplyPolicy}


def warm_up() -> None:
    """Load what is compiled, so that no decision is charged for it."""
    load_kernels()


@cache
def _all_modes(words: object) -> dict[str, str]:
    return {word: word for word in get_args(words)}


def describe_control(site: Site) -> Control:
    """Return the section ``control`` of a site whose inverters know every mode."""
    write = {"to": "inverter", "value": "{mode}"}
    batteries = [{"battery": battery.name, "modes": _all_modes(ModeWord), "writes": [write]} for battery in site.batteries]
    return Control.model_validate({"batteries": batteries, "pv": {"modes": _all_modes(PvMode), "writes": [write]} if site.pv else None})


def to_setpoint(site: Site, told: Mapping[str, object]) -> SetPoint:
    """Return what inverters make of set-points in the outward words; surplus that nothing else can take they always store."""
    batteries = [each for each in (told[battery.name] for battery in site.batteries) if isinstance(each, BatterySetpoint)]
    mode = np.array([[_MODES[each.mode]] for each in batteries], dtype=np.int8)
    limits = {
        name: np.array([[np.nan if getattr(each, name) is None else getattr(each, name)] for each in batteries], dtype=float)
        for name in ("power_kw", "target_soc", "floor_soc", "ceiling_soc")
    }
    pv = told.get(PV)
    held, limit_kw = (pv.mode, pv.limit_kw) if isinstance(pv, PvSetpoint) else ("free", None)
    return SetPoint(
        mode=mode,
        **limits,
        spill_soc=np.full(mode.shape, np.inf),
        curtailment=np.array([_HELD_BACK[held]], dtype=np.int8),
        pv_limit_kw=np.array([np.inf if limit_kw is None or held != "limit" else limit_kw]),
    )
