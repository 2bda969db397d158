"""Variants of stored sites and plans: replays of recorded days, and plans."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine

from luna.contracts.replay import ReplayRequest
from luna.contracts.variant import (
    BASELINE,
    PlanVariantReply,
    PlanVariantRequest,
    Variant,
    WhatIfRequest,
    WhatIfState,
    WhatIfVariantReply,
    WhatIfVariantRequest,
)
from luna.energy.refusals import refuse
from luna.energy.site import OWN, Site
from luna.energy.site.document import change_site
from luna.energy.timeline import SLOT, FloatArray, Timeline, local_days, local_midnight
from luna.house.what_if_questions import open_question, read_state
from luna.platform.database import forecasts, observations, plans, sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.database.forecast_activations import find_active
from services.planner.compiled import load_common_kernels
from services.planner.milp.solver import Solver
from services.planner.problem.build import build_problem
from services.planner.problem.knowledge import DAY, PerfectForesight, SitePrices
from services.planner.problem.problem import ACTING
from services.planner.problem.rolling_horizon import HORIZON
from services.planner.replay import Progress, ReplayData
from services.planner.service.assumptions import note_tariff
from services.planner.service.inputs import (
    LOOK_BACK,
    read_counted,
    read_drawn,
    read_prices,
    read_scene,
)
from services.planner.variants.adapted_site import (
    USUAL_DAYS,
    AdaptedSite,
    DecidingPolicy,
    SevenDayMean,
    adapt,
    list_added,
    list_months,
    simulate_months,
)
from services.planner.variants.addition import COUNTED_BEFORE, Addition
from services.planner.variants.cash_flow import PeriodFlows, conclude
from services.planner.variants.plan_variant import describe_variant, plan_variant


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
            "unknown-name",
            field="variant",
            value=request.variant,
            names=tuple(variants),
            thing="variant",
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
    adapted = _read_months(
        connection, question, before=site, site=changed, addition=addition, outlook=outlook
    )
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
    *,
    before: Site,
    site: Site,
    addition: Addition,
    outlook: str | None,
) -> Iterator[AdaptedSite]:
    for first, last in list_months(question.from_day, question.to_day):
        version = outlook or find_active(connection, before).forecast_version
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
        prices = read_prices(connection, site, around)
        drawn_kwh = read_drawn(connection, site, scene.timeline.start)
        adapted = adapt(recorded, site, prices, drawn_kwh=drawn_kwh)
        if addition.any():
            recorded_kwh = _read_recorded_use(connection, before, scene.timeline)
            added = addition.schedule_on(adapted, recorded_kwh)
            adapted = adapt(recorded, site, prices, drawn_kwh=drawn_kwh, added=added)
        yield adapted


def _read_recorded_use(
    connection: Connection, site: Site, window: Timeline
) -> dict[str, FloatArray]:
    """Return what recorded devices with a price of their own drew, as additions count it."""
    slots = COUNTED_BEFORE // SLOT + window.count
    around = Timeline(window.start - COUNTED_BEFORE, SLOT, slots)
    used_kwh: dict[str, FloatArray] = {}
    for price in site.tariff.devices:
        if getattr(site, price.devices) and price.devices not in used_kwh:
            stored = observations.read_series(connection, site.name, around, (price.series,))
            used_kwh[price.devices] = np.nan_to_num(stored[price.series])
    return used_kwh


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
        inputs,
        request.variant,
        export_kwh=request.export_kwh,
        prices=prices,
        counted=partial(read_counted, connection, start=timeline.start),
        solver=solver,
    )
    language = request.language or inputs.options.language
    reply = describe_variant(
        before, after, requests=(inputs, changed), name=request.variant.name, language=language
    )
    return reply.model_copy(update={"plan_id": request.plan_id})
