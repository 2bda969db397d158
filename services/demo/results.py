"""The report on what the demo came to."""

from datetime import timedelta

import numpy as np

from luna.contracts import PlanReply, Provenance
from luna.contracts.job import Bilingual
from luna.energy.economics import site_curtailment
from luna.energy.physics import Mode, SiteLimits
from luna.energy.schedule import PlainPolicy
from luna.energy.simulator import Actuals, simulate
from luna.energy.site import Site
from luna.energy.timeline import Timeline
from luna.platform.clock import SystemClock
from luna.words import Language
from luna.words.catalogue import ENGLISH
from services.demo.pipeline import DemoRun
from services.demo.report import Origin, ReportInput, SiteResult
from services.demo.report.plan_view import CHART_SPAN, read_starting_soc


def compose_report(run: DemoRun, language: Language) -> ReportInput:
    """Return everything the report is drawn from."""
    assert run.plan is not None  # noqa: S101 - the course has planned
    window, main = run.window, run.demo.sites[0]
    results = [SiteResult(each.site, run.replays[each.site.name], window.first_day, window.last_day, each.yearly_load_kwh) for each in run.demo.sites]
    records = [run.demo.price_provenance, *(record for each in run.demo.sites for record in each.provenance)]
    return ReportInput(
        plan=run.plan,
        results=results,
        origins=[translate(record, language) for record in records],
        commands=commands(run),
        created_at=SystemClock().now(),
        took_seconds=run.seconds,
        language=language,
        without_soc=trace_without_luna(run.plan, main.site),
    )


def _pick(texts: Bilingual, language: Language) -> str:
    return texts.get(language, texts[ENGLISH])


def translate(record: Provenance, language: Language) -> Origin:
    """Return a record of provenance in one language."""
    return Origin(
        series=_pick(record.series, language),
        source=_pick(record.source, language),
        licence=_pick(record.licence, language),
        period=_pick(record.period, language),
        changes=_pick(record.changes, language),
        quality=_pick(record.quality, language),
        sha256=record.sha256,
    )


def commands(run: DemoRun) -> list[str]:
    """Return what makes the report's figures again."""
    if run.folder is None:
        return [f"luna demo --on-servers --days {(run.window.last_day - run.window.first_day).days + 1}"]
    window = f"--from {run.window.first_day} --to {run.window.last_day}"
    return ["make demo", *(f"LUNA_DATA_FOLDER={run.folder} luna replay --site {each.site.name} {window}" for each in run.demo.sites)]


def trace_without_luna(plan: PlanReply, site: Site) -> list[float] | None:
    """Return how full the batteries would be at the end of each planned slot if the inverter alone followed the same load and sun."""
    if not site.batteries:
        return None
    slots = [slot for slot in plan.slots if slot.start < plan.slots[0].start + CHART_SPAN]
    timeline = Timeline(plan.slots[0].start, timedelta(minutes=plan.slot_minutes), len(slots))
    load, pv, bought, sold = (np.array([getattr(slot, name) for slot in slots]) for name in ("load_kwh", "pv_kwh", "import_price", "export_price"))
    policy = PlainPolicy(Mode.SELF_CONSUMPTION, site_curtailment(site, bought, sold))
    soc = read_starting_soc(slots, site)
    capacity = sum(battery.capacity_kwh for battery in site.batteries)
    stored = np.array([[soc[battery.name] * battery.capacity_kwh] for battery in site.batteries])
    trajectory = simulate(policy, Actuals(timeline, load, pv), limits=SiteLimits.of(site), stored_kwh=stored)
    shares: list[float] = (trajectory.flows.stored_kwh.sum(axis=(0, 1)) / capacity).tolist()
    return shares
