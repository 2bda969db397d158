"""Replays of other sites, plan variants and why-not questions for stored sites."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine

from luna.contracts.counterfactual import (
    BASELINE,
    Habit,
    PlanVariantReply,
    PlanVariantRequest,
    Variant,
    WhatIfRequest,
    WhatIfState,
    WhatIfVariantReply,
    WhatIfVariantRequest,
    WhyNotReply,
    WhyNotRequest,
)
from luna.contracts.plan import BatteryState, OutlookMessage, PlanRequest, StateMessage
from luna.contracts.replay import ReplayRequest
from luna.energy.devices.kind import NamedDevice
from luna.energy.part import StrictModel
from luna.energy.refusals import refuse
from luna.energy.site import OWN, Site
from luna.energy.site.document import change_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, local_midnight
from luna.platform.database import forecasts, observations, plans, sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import find_active
from luna.platform.what_if_questions import open_question, read_state
from services.planner.compiled import load_common_kernels
from services.planner.counterfactual.adapted_site import (
    ADDED_KINDS,
    USUAL_DAYS,
    AdaptedSite,
    DecidingPolicy,
    SevenDayMean,
    adapt,
    list_added,
    list_months,
    simulate_months,
)
from services.planner.counterfactual.cash_flow import PeriodFlows, conclude
from services.planner.counterfactual.plan_variant import describe_variant, plan_variant
from services.planner.counterfactual.why_not import ask_why_not
from services.planner.devices.kind import AddedDevice, DemandSchedule
from services.planner.milp.schedule_loads import schedule_loads
from services.planner.milp.solver import Solver
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import DAY, PerfectForesight, SitePrices, look_ahead
from services.planner.problem.problem import ACTING
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import Progress, ReplayData
from services.planner.service.assumptions import note_tariff
from services.planner.service.inputs import LOOK_BACK, read_prices, read_scene

# An hour after day-ahead prices are published.
PLANNED_AT = timedelta(hours=14)


@dataclass
class Addition:
    """Devices that a variant adds, by section and name.

    ``end_states`` carries their states from one span to the next.
    """

    site: Site
    devices: Mapping[str, Mapping[str, AddedDevice]]
    end_states: dict[tuple[str, str], StrictModel | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls, site: Site, added: Mapping[str, Sequence[NamedDevice]], habits: Mapping[str, Habit]
    ) -> "Addition":
        """Return a variant's added devices, on a site with no other flexible loads.

        Raises:
            InvalidInputError: a device lacks the habit that it needs, or a habit is of no added
                device.
        """
        zone = ZoneInfo(site.timezone)
        added_alone: dict[str, list[NamedDevice]] = {}
        devices: dict[str, dict[str, AddedDevice]] = {}
        for kind in ADDED_KINDS:
            if kind.add:
                of_kind = kind.add(added[kind.section], habits, zone)
                added_alone[kind.section] = [addition.device for addition in of_kind]
                devices[kind.section] = {addition.device.name: addition for addition in of_kind}
        return cls(site.model_copy(update=added_alone), devices)

    def any(self) -> bool:
        """Return whether anything is added."""
        return any(self.devices.values())

    def schedule_on(self, adapted: AdaptedSite) -> FloatArray:
        """Return the added use in each recorded slot, kWh.

        Beyond the window that of its last plan.
        """
        recorded = adapted.scene.foresight.timeline
        window = adapted.scene.timeline
        added = np.zeros(recorded.count)
        for begin, end in _list_spans(adapted):
            loads = self._schedule(adapted, begin)
            first = recorded.index_of(begin)
            slots = (end - begin) // SLOT
            last = recorded.count - first if end == window.end else slots
            uses = sum((load.use_kwh for load in loads), np.zeros(HORIZON // SLOT))
            added[first : first + min(last, uses.size)] = uses[:last]
            past = Timeline(begin, SLOT, slots)
            for load in loads:
                section = load.demand.section
                name = load.demand.name
                device = self.devices[section][name]
                state = self.end_states.get((section, name))
                self.end_states[section, name] = device.end(load.columns(), past, state)
        return added

    def _schedule(self, adapted: AdaptedSite, begin: datetime) -> list[DemandSchedule]:
        ahead = Timeline(begin, SLOT, HORIZON // SLOT)
        ahead_outlook = look_ahead(begin, ahead, energy=adapted.energy, prices=adapted.scene.prices)
        series = {
            name: getattr(ahead_outlook, name).tolist()
            for name in ("load_kwh", "pv_kwh", "import_price", "export_price")
        }
        batteries = {}
        for battery in self.site.batteries:
            half_full = (battery.min_soc + battery.max_soc) / 2
            batteries[battery.name] = BatteryState(soc=half_full)
        begun: dict[str, dict[str, object]] = {}
        for section, devices in self.devices.items():
            begun[section] = {}
            for name, device in devices.items():
                begun[section][name] = device.begin(ahead, self.end_states.get((section, name)))
        state = StateMessage.model_validate({"batteries": batteries, **begun})
        outlook = OutlookMessage(**series)
        request = PlanRequest(site=self.site, start=begin, outlook=outlook, state=state)
        schedule = schedule_loads(build_problem(request))
        return [load for load in schedule.loads if load.demand.section in self.devices]


def _list_spans(adapted: AdaptedSite) -> list[tuple[datetime, datetime]]:
    """Return the span of each plan, from one afternoon to the next.

    The first one begins with the window, the last one ends with it.
    """
    window = adapted.scene.timeline
    zone = adapted.scene.zone
    day = window.start.astimezone(zone).date()
    edges = [window.start]
    afternoon = local_midnight(day, zone) + PLANNED_AT
    while afternoon < window.end:
        edges.append(afternoon)
        day += DAY
        afternoon = local_midnight(day, zone) + PLANNED_AT
    return list(pairwise([*edges, window.end]))


def replay_variant(
    connection: Connection, request: WhatIfVariantRequest, *, progress: Progress | None = None
) -> WhatIfVariantReply:
    """Replay one variant of a stored question and store its flows.

    The last variant concludes the question.

    Raises:
        NotFoundError: no such question or site, or none of the issued forecasts that it requests.
        InvalidInputError: observations or prices are missing, or the variant does not fit the site.
    """
    question = what_ifs.load(connection, request.what_if_id)
    variants = {variant.name: variant for variant in (Variant(name=BASELINE), *question.variants)}
    if request.variant not in variants:
        raise refuse(
            "no-such-variant", field="variant", value=request.variant, variants=tuple(variants)
        )
    flows = replay_flows(connection, question, variants[request.variant], progress=progress)
    stored = what_ifs.keep_flows(connection, request.what_if_id, request.variant, flows)
    if len(stored) == len(variants):
        site = sites.load(connection, question.site_id)
        flows_of_variants = {name: PeriodFlows.model_validate(stored[name]) for name in stored}
        reply = conclude(request.what_if_id, question, site, flows_of_variants)
        window = local_days(question.from_day, question.to_day, ZoneInfo(site.timezone))
        notes = note_tariff(connection, site, window, language=question.language)
        what_ifs.conclude(connection, reply.model_copy(update={"notes": notes}))
    return WhatIfVariantReply(variant=request.variant, replayed=len(stored), total=len(variants))


def replay_question(
    pool: Engine, question: WhatIfRequest, *, now: datetime, progress: Progress
) -> WhatIfState:
    """Store a question, replay its variants in this process, and return the result.

    Raises:
        NotFoundError: no such site, or none of the issued forecasts that it requests.
        InvalidInputError: observations or prices are missing, or a variant does not fit the site.
    """
    load_common_kernels()
    with unit_of_work(pool) as connection:
        replays = open_question(connection, question, now=now)
    for replay in replays:
        with unit_of_work(pool) as connection:
            replay_variant(connection, replay, progress=progress)
    with unit_of_work(pool) as connection:
        return read_state(connection, replays[0].what_if_id)


def replay_flows(
    connection: Connection,
    question: WhatIfRequest,
    variant: Variant,
    *,
    progress: Progress | None = None,
) -> PeriodFlows:
    """Return a variant's flows over the question's window."""
    site = sites.load(connection, question.site_id)
    changed = change_site(site, variant.site, field=f"variants.{variant.name}.site")
    addition = Addition.of(changed, list_added(site, changed), variant.habits)
    months = list_months(question.from_day, question.to_day)
    outlook = name_outlook(connection, question, site)
    adapted = _read_months(connection, question, (changed, addition), outlook=outlook)
    margin = ACTING
    if variant.margin is not None:
        margin = replace(ACTING, self_consumption_margin=variant.margin)
    deciding = DecidingPolicy(
        question.policy, timedelta(minutes=question.every_minutes) // SLOT, margin
    )

    def report(done: int) -> None:
        if progress is not None:
            progress(done, len(months), f"{variant.name} {months[done - 1][1]:%Y-%m}")

    outlook_name = outlook
    if not outlook_name:
        outlook_name = "usual" if question.policy == "mpc" else "none"
    return simulate_months(adapted, deciding, outlook=outlook_name, progress=report)


def name_outlook(connection: Connection, question: WhatIfRequest, site: Site) -> str | None:
    """Return the forecast version that a question plans from.

    None where it plans from seven-day means.
    """
    version = question.forecast_version or find_active(connection, site).forecast_version
    if question.policy != "mpc" or question.outlook == "usual":
        return None
    if question.outlook == "issued":
        return version
    zone = ZoneInfo(site.timezone)
    days = (question.to_day - question.from_day).days + 1
    start = local_midnight(question.from_day, zone)
    end = local_midnight(question.to_day + DAY, zone)
    issued = forecasts.read_instants(
        connection, question.site_id, version=version, first=start - DAY, last=end
    )
    covered = {instant.astimezone(zone).date() for instant in issued if start <= instant < end}
    return version if len(covered) == days and issued[0] <= start else None


def _read_months(
    connection: Connection,
    question: WhatIfRequest,
    change: tuple[Site, Addition],
    *,
    outlook: str | None,
) -> Iterator[AdaptedSite]:
    changed, addition = change
    for first, last in list_months(question.from_day, question.to_day):
        version = outlook
        if not version:
            site = sites.load(connection, question.site_id)
            version = find_active(connection, site).forecast_version
        request = ReplayRequest(
            site_id=question.site_id,
            from_day=first,
            to_day=last,
            policies=["self_consumption" if outlook is None else "mpc"],
        )
        scene = read_scene(connection, request, version)
        if outlook:
            recorded = AdaptedSite(scene, scene.forecasts)
        else:
            recorded = AdaptedSite(scene, read_usual(connection, question.site_id, scene))
        count = (LOOK_BACK + HORIZON) // SLOT + scene.timeline.count
        around = Timeline(scene.timeline.start - LOOK_BACK, SLOT, count)
        prices = read_prices(connection, changed, around)
        adapted = adapt(recorded, changed, prices)
        if addition.any():
            adapted = adapt(recorded, changed, prices, added_kwh=addition.schedule_on(adapted))
        yield adapted


def read_usual(connection: Connection, site_id: str, scene: ReplayData) -> SevenDayMean:
    """Return the seven-day means before each instant of a scene."""
    window = scene.timeline
    count = USUAL_DAYS * DAY // SLOT + window.count
    before = Timeline(window.start - USUAL_DAYS * DAY, SLOT, count)
    measured = observations.read(connection, site_id, before)
    return SevenDayMean(PerfectForesight(before, measured.load_kwh, measured.pv_kwh))


def plan_stored_variant(
    connection: Connection, request: PlanVariantRequest, *, solver: Solver
) -> PlanVariantReply:
    """Return the comparison of a stored plan with the plan under a variant.

    Raises:
        NotFoundError: no such plan.
        InvalidInputError: the variant does not fit the plan.
    """
    inputs = plans.load_inputs(connection, request.plan_id)
    timeline = build_problem(inputs).outlook.timeline.whole()

    def prices(site: Site) -> SitePrices:
        if not site.tariff.price_series:
            return SitePrices(site, timeline, {})
        if timeline.step != SLOT:
            raise refuse(
                "prices-of-quarter-hours",
                field="variant.site.tariff",
                value=site.tariff.price_series[0].removeprefix(OWN),
            )
        count = LOOK_BACK // SLOT + timeline.count
        around = Timeline(timeline.start - LOOK_BACK, SLOT, count)
        stored = read_prices(connection, site, around)
        return replace(stored, predicts=True)

    before, after, changed = plan_variant(
        inputs, request.variant, export_kwh=request.export_kwh, prices=prices, solver=solver
    )
    language = request.language or inputs.options.language
    reply = describe_variant(
        before, after, requests=(inputs, changed), name=request.variant.name, language=language
    )
    return reply.model_copy(update={"plan_id": request.plan_id})


def ask_stored(connection: Connection, request: WhyNotRequest, *, solver: Solver) -> WhyNotReply:
    """Return the cost of an alternative to a stored plan, from the plan's own inputs.

    Raises:
        NotFoundError: no such plan.
        InvalidInputError: the alternative lies outside the plan, names no device, or a limit
            forbids it.
    """
    inputs = plans.load_inputs(connection, request.plan_id)
    language = request.language or inputs.options.language
    reply = ask_why_not(inputs, request.alternative, solver=solver, language=language)
    return reply.model_copy(update={"plan_id": request.plan_id})
