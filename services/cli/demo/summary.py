"""What the demo says at its end: a table for each site, and the report."""

from datetime import timedelta
from pathlib import Path

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
from luna.words import Language, Numbers
from luna.words.catalogue import ENGLISH
from luna.words.phrases import read_texts
from services.cli.console import emit, out, table, write_whole
from services.cli.demo.pipeline import DemoRun
from services.cli.report import Origin, ReportInput, SiteResult, render
from services.cli.report.plan_view import SHOWN, read_starting_soc
from services.cli.report.scores import tabulate_policies


def publish(run: DemoRun, folder: Path, *, language: Language, as_json: bool) -> None:
    """Write the report into ``folder``, and the tables or one JSON document to stdout."""
    path = folder / "report.html"
    write_whole(path, render(_compose_report(run, language)))
    document = {
        "report": str(path),
        "seconds": round(run.seconds, 1),
        "sites": {name: replay.model_dump(mode="json") for name, replay in run.replays.items()},
        "plan": None if run.plan is None else run.plan.model_dump(mode="json", by_alias=True),
    }
    emit(document, as_json=as_json, show=lambda: _show_tables(run, language, path))


def _show_tables(run: DemoRun, language: Language, path: Path) -> None:
    """Print the costs and scores of every policy on every site."""
    words = read_texts("report", language)
    for each in run.demo.sites:
        numbers = Numbers(language, run.window.zone, each.site.currency)
        rows = [[row.name, row.cost, row.saved, row.score, row.cycles] for row in tabulate_policies(run.replays[each.site.name], numbers)]
        headings = [words["policy"], words["policy_cost"], words["saved"], words["score"], words["cycles_a_day"]]
        out.print()
        table(headings, rows, title=f"{each.site.name}: {run.window.first_day} – {run.window.last_day}")
    out.print(f"\n{path} ({run.seconds:.0f} s)")


def _compose_report(run: DemoRun, language: Language) -> ReportInput:
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
        made_at=SystemClock().now(),
        took_seconds=run.seconds,
        language=language,
        without_soc=trace_without_luna(run.plan, main.site),
    )


def _pick(said: Bilingual, language: Language) -> str:
    return said.get(language, said[ENGLISH])


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
    slots = [slot for slot in plan.slots if slot.start < plan.slots[0].start + SHOWN]
    timeline = Timeline(plan.slots[0].start, timedelta(minutes=plan.slot_minutes), len(slots))
    load, pv, bought, sold = (np.array([getattr(slot, name) for slot in slots]) for name in ("load_kwh", "pv_kwh", "import_price", "export_price"))
    policy = PlainPolicy(Mode.SELF_CONSUMPTION, site_curtailment(site, bought, sold))
    soc = read_starting_soc(slots, site)
    capacity = sum(battery.capacity_kwh for battery in site.batteries)
    stored = np.array([[soc[battery.name] * battery.capacity_kwh] for battery in site.batteries])
    trajectory = simulate(policy, Actuals(timeline, load, pv), limits=SiteLimits.of(site), stored_kwh=stored)
    shares: list[float] = (trajectory.flows.stored_kwh.sum(axis=(0, 1)) / capacity).tolist()
    return shares
