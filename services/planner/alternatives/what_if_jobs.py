"""Questions what would have been: fetch, replay, keep, and let the last one conclude."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from luna.contracts.replay import ReplayRequest
from luna.contracts.what_if import BASELINE, Variant, WhatIfRequest, WhatIfVariantReply, WhatIfVariantRequest
from luna.database import forecasts, observations, sites, what_ifs
from luna.database.forecast_activations import find_active
from luna.errors import InvalidInputError
from luna.site import Site
from luna.site.change import change_site
from luna.timeline import SLOT, Timeline, local_days, local_midnight
from services.planner.alternatives.addition import Addition
from services.planner.alternatives.answer import conclude
from services.planner.alternatives.cash_flow import Flows
from services.planner.alternatives.what_if import Deciding, list_months, live
from services.planner.alternatives.world import USUAL_DAYS, Usual, World, adapt, list_added
from services.planner.knowledge import DAY, Foresight
from services.planner.posing.ahead import HORIZON
from services.planner.posing.problem import ACTING
from services.planner.replay import Progress, Scene
from services.planner.stored.assumptions import note_tariff
from services.planner.stored.jobs import LOOK_BACK, read_prices, read_scene


def replay_variant(connection: Connection, request: WhatIfVariantRequest, *, progress: Progress | None = None) -> WhatIfVariantReply:
    """Replay one variant of a stored question and keep what it came to; where all are there, conclude.

    Raises:
        NotFoundError: no such question or site, or no forecasts where issued ones are asked for.
        InvalidInputError: observations or prices are missing, or the variant does not fit the site.
    """
    question = what_ifs.load(connection, request.what_if_id)
    variants = {variant.name: variant for variant in (Variant(name=BASELINE), *question.variants)}
    if request.variant not in variants:
        raise InvalidInputError("the question has no such variant", field="variant", value=request.variant, remedy=f"It has: {', '.join(variants)}.")
    flows = replay_flows(connection, question, variants[request.variant], progress=progress)
    kept = what_ifs.keep_flows(connection, request.what_if_id, request.variant, flows)
    if len(kept) == len(variants):
        site = sites.load(connection, question.site_id)
        reply = conclude(request.what_if_id, question, site, {name: Flows.model_validate(each) for name, each in kept.items()})
        window = local_days(question.from_day, question.to_day, ZoneInfo(site.timezone))
        notes = note_tariff(connection, site, window, language=question.language)
        what_ifs.conclude(connection, reply.model_copy(update={"notes": notes}))
    return WhatIfVariantReply(variant=request.variant, replayed=len(kept), total=len(variants))


def replay_flows(connection: Connection, question: WhatIfRequest, variant: Variant, *, progress: Progress | None = None) -> Flows:
    """Return what a variant comes to over the question's window."""
    site = sites.load(connection, question.site_id)
    changed = change_site(site, variant.site, field=f"variants.{variant.name}.site")
    addition = Addition.of(changed, list_added(site, changed), variant.habits)
    if question.to_day < question.from_day:
        raise InvalidInputError("the window ends before it begins", field="to_day", value=question.to_day.isoformat(), remedy="Swap the days.")
    months = list_months(question.from_day, question.to_day)
    outlook = name_outlook(connection, question, site)
    worlds = _read_worlds(connection, question, (changed, addition), outlook=outlook)
    margin = ACTING if variant.margin is None else replace(ACTING, toward_house=variant.margin)
    deciding = Deciding(question.policy, timedelta(minutes=question.every_minutes) // SLOT, margin)

    def tell(done: int) -> None:
        if progress is not None:
            progress(done, len(months), f"{variant.name} {months[done - 1][1]:%Y-%m}")

    return live(worlds, deciding, outlook=outlook or ("usual" if question.policy == "mpc" else "none"), told=tell)


def name_outlook(connection: Connection, question: WhatIfRequest, site: Site) -> str | None:
    """Return the forecast version that is planned from; None where it is what was usual."""
    version = question.forecast_version or find_active(connection, site).forecast_version
    if question.policy != "mpc" or question.outlook == "usual":
        return None
    if question.outlook == "issued":
        return version
    zone, days = ZoneInfo(site.timezone), (question.to_day - question.from_day).days + 1
    start, end = local_midnight(question.from_day, zone), local_midnight(question.to_day + DAY, zone)
    issued = forecasts.read_instants(connection, question.site_id, version=version, first=start - DAY, last=end)
    covered = {instant.astimezone(zone).date() for instant in issued if start <= instant < end}
    return version if len(covered) == days and issued[0] <= start else None


def _read_worlds(connection: Connection, question: WhatIfRequest, change: tuple[Site, Addition], *, outlook: str | None) -> Iterator[World]:
    changed, addition = change
    for first, last in list_months(question.from_day, question.to_day):
        world = _read_world(connection, question, (first, last), outlook=outlook)
        timeline = world.scene.timeline
        prices = read_prices(connection, changed, Timeline(timeline.start - LOOK_BACK, SLOT, (LOOK_BACK + HORIZON) // SLOT + timeline.count))
        without = adapt(world, changed, prices)
        yield adapt(world, changed, prices, added_kwh=addition.place_on(without)) if addition.any() else without


def _read_world(connection: Connection, question: WhatIfRequest, days: tuple[date, date], *, outlook: str | None) -> World:
    """Return some days of a stored site as they were recorded."""
    version = outlook or find_active(connection, sites.load(connection, question.site_id)).forecast_version
    policy = "self_consumption" if outlook is None else "mpc"
    scene = read_scene(connection, ReplayRequest(site_id=question.site_id, from_day=days[0], to_day=days[1], policies=[policy]), version)
    return World(scene, scene.forecasts if outlook else read_usual(connection, question.site_id, scene))


def read_usual(connection: Connection, site_id: str, scene: Scene) -> Usual:
    """Return what was usual before each instant of a scene."""
    window = scene.timeline
    before = Timeline(window.start - USUAL_DAYS * DAY, SLOT, USUAL_DAYS * DAY // SLOT + window.count)
    seen = observations.read(connection, site_id, before)
    return Usual(Foresight(before, seen.load_kwh, seen.pv_kwh))
