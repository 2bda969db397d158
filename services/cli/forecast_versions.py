"""``luna forecast status``, ``promote`` and ``rollback``: which version drives the planner, and why."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import Connection

from luna.contracts.forecast import EvaluateReply, EvaluateRequest
from luna.contracts.forecast_versions import ForecastStatus, ShadowRecord, TrainingSummary
from luna.contracts.replay import ReplayRequest
from luna.platform.clock import SystemClock
from luna.platform.desk.servers import unit_of_work
from luna.platform.objects import ObjectStore
from luna.words import Numbers, say_instant
from services.cli.console import JsonOption, emit, out, table
from services.cli.options import SiteOption, find_zone
from services.cli.shared_sentences import show_driving

if TYPE_CHECKING:
    from services.planner.replay import Progress


def add_money(connection: Connection, request: EvaluateRequest, reply: EvaluateReply, *, objects: ObjectStore, progress: "Progress") -> EvaluateReply:
    """Return the reply with what each version's errors cost a day: the window is planned anew whenever a forecast is issued.

    Raises:
        InvalidInputError: observations or prices of the window are missing.
    """
    from services.forecaster.versions.hindsight import ensure_forecasts
    from services.planner.service.replay import find_missing, replay_site

    versions = dict(reply.versions)
    days = (request.to_day - request.from_day).days + 1
    for version, found in reply.versions.items():
        question = ReplayRequest(
            site_id=request.site_id,
            from_day=request.from_day,
            to_day=request.to_day,
            policies=["mpc", "mpc_perfect"],
            every_minutes=request.every_minutes,
            system_id=f"evaluation_forecast_{version}",
            forecast_version=version,
        )
        missing = find_missing(connection, question)
        if missing is not None:
            ensure_forecasts(connection, missing, objects=objects, progress=progress)
        policies = replay_site(connection, question, progress=progress).policies
        regret = (policies["mpc"].cost - policies["mpc_perfect"].cost) / days
        versions[version] = found.model_copy(update={"regret_per_day": regret, "regret_days": days})
    return reply.model_copy(update={"versions": versions})


def register(app: typer.Typer) -> None:
    """Add the command to ``luna forecast``."""
    app.command("status")(status)


def status(*, site: SiteOption, as_json: JsonOption = False) -> None:
    """Show which version drives the planner and why, how all versions did in shadow, and the last decisions and trainings."""
    from services.forecaster.versions.status import describe_status

    with unit_of_work() as connection:
        zone, found = find_zone(connection, site), describe_status(connection, site, now=SystemClock().now())
    emit(found.model_dump(mode="json"), as_json=as_json, show=lambda: _show_status(found, zone))


def _show_status(found: ForecastStatus, zone: ZoneInfo) -> None:
    if found.driving is not None:
        show_driving(found.driving, zone)
    for record in found.shadow:
        _show_shadow(record, Numbers("en", zone, found.currency))
    if not found.shadow:
        out.print("No version was scored in shadow yet: a day is scored when the 48 hours after it have passed.")
    for candidate in found.candidates:
        out.print(f"{candidate.version}: {candidate.reason}")
    _show_past(found, zone)


def _show_shadow(record: ShadowRecord, numbers: Numbers) -> None:
    rows = [
        [
            version,
            name,
            str(series.days),
            f"{series.mae:.4f}",
            f"{series.rmse:.4f}",
            f"{series.pinball:.4f}",
            "–" if series.coverage_80 is None else f"{series.coverage_80:.0%}",
            "–" if found.regret_per_day is None else numbers.money(found.regret_per_day),
        ]
        for version, found in record.versions.items()
        for name, series in found.series.items()
    ]
    headings = ["version", "series", "days", "MAE kWh", "RMSE kWh", "pinball", "in 80 % band", "error costs a day"]
    table(headings, rows, title=f"in shadow, issued {record.from_day} to {record.to_day}", words=headings[1:2])


def _show_past(found: ForecastStatus, zone: ZoneInfo) -> None:
    decisions = [[say_instant(made.decided_at, zone), made.forecast_version, made.run_id or "–", made.decided_by, made.reason] for made in found.decisions]
    if decisions:
        headings = ["decided", "version", "training", "by", "reason"]
        table(headings, decisions, title="decisions", words=headings)
    trainings = [_training_row(run, zone) for run in found.trainings]
    if trainings:
        headings = ["training", "trigger", "learned until", "seconds", "model"]
        table(headings, trainings, title="trainings", words=["trigger", "model"])
    out.print(f"Next training: {found.next_training}.")
    if found.drift:
        out.print(f"The site has changed since its model was trained: {'; '.join(found.drift)}.")


def _training_row(run: TrainingSummary, zone: ZoneInfo) -> list[str]:
    use = "in use or may be" if run.accepted else f"refused: {run.verdict}"
    return [run.run_id, run.trigger, f"{run.data_until.astimezone(zone):%Y-%m-%d}", f"{run.train_seconds:.1f}", use]
