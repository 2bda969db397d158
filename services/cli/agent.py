"""``luna agent``: train Antares, measure it on days that it has not seen, say where it stands, compare it, draw its days."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args
from zoneinfo import ZoneInfo

import typer

from luna.contracts.agent import (
    AGENT_POLICIES,
    AgentKind,
    Comparison,
    DayPictureReply,
    DayPictureRequest,
    EvaluateAgentReply,
    EvaluateAgentRequest,
    PolicyComparison,
    PolicyScore,
    TrainAgentReply,
    TrainAgentRequest,
)
from luna.contracts.agent_control import AgentStatus, GateEvidence
from luna.energy.errors import InvalidInputError, MachineError
from luna.energy.timeline import parse_day
from luna.platform.clock import SystemClock
from luna.words import Numbers, say_instant, say_policy, split_policies
from services.cli.console import JsonOption, emit, follow_progress, make_writable, out, table
from services.cli.storage import compose_request
from services.cli.window import MaybeFirstDayOption, MaybeLastDayOption, SiteOption, find_zone, parse_site_instants

if TYPE_CHECKING:
    from luna.platform.objects import ObjectStore

app = typer.Typer(help="Train Antares, measure it on unseen days, compare it, draw its days, say where it stands.", no_args_is_help=True)

KINDS: tuple[str, ...] = get_args(AgentKind)
SCORE_HEADINGS = ("policy", "cost", "score", "over mpc, points", "p", "over self-consumption", "mode changes/day")
EVIDENCE_HEADINGS, MODE_HEADINGS = ("mode", "evidence", "days", "over mpc, points", "corrected slots"), ("mode", "state", "why")
PICTURE_HEADINGS = ("policy", "cost", "charges", "discharges")
SLOT_FILES = (".csv", ".json")


def _read_day(text: str) -> date:
    return parse_day(text, field="--day")


@app.command()
def train(
    *,
    site: SiteOption,
    kind: Annotated[str, typer.Option(help=f"What is trained: {', '.join(KINDS)}.")] = "value",
    until: Annotated[str | None, typer.Option(help="Learn from nothing after this instant or day (default: all there is).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed and data give the same agent.")] = 0,
    steps: Annotated[int | None, typer.Option(help="Of reinforcement learning (default: 2 million).")] = None,
    as_json: JsonOption = False,
) -> None:
    """Train an agent on a site's history and store it; one that is worse than the one in use is kept and not used."""
    from services.agent.training import train_agent
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection, follow_progress("train", quiet=as_json) as progress:
        instants = parse_site_instants(connection, site, until=until)
        request = compose_request(TrainAgentRequest, site_id=site, kind=kind, **instants, seed=seed, steps=steps)
        zone = find_zone(connection, site)
        reply = train_agent(connection, request, objects=_open_objects(), now=SystemClock().now(), progress=progress)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_training(reply, zone))


def _show_training(reply: TrainAgentReply, zone: ZoneInfo) -> None:
    use = "It is used from now on" if reply.accepted else "It is not used"
    out.print(f"{reply.run_id}: learned from {say_instant(reply.data_from, zone)} to {say_instant(reply.data_until, zone)} in {reply.train_seconds:.0f} s")
    out.print(f"{use}: {reply.verdict}.")


@app.command()
def evaluate(
    *,
    site: SiteOption,
    days: Annotated[int, typer.Option(min=7, max=366, help="How many unseen days.")] = 100,
    last: MaybeLastDayOption = None,
    policies: Annotated[str, typer.Option(help="Learned policies, comma-separated (default: all that were trained).")] = "",
    as_json: JsonOption = False,
) -> None:
    """Measure what was trained on days that no training saw, beside the planner, plain rules and the oracle; trainings that this wants are made."""
    request = compose_request(EvaluateAgentRequest, site_id=site, days=days, to_day=last, policies=split_policies(policies))
    from services.agent.evaluation.evaluate import evaluate_agents
    from services.cli.storage import open_database

    with open_database() as engine, follow_progress("evaluate", quiet=as_json) as progress:
        from luna.platform.database.engine import unit_of_work
        from services.planner.service.replay import Store

        with unit_of_work(engine) as connection:
            zone = find_zone(connection, site)
            store = Store.beside(engine, lambda: connection)
            reply = evaluate_agents(store, request, objects=_open_objects(), now=SystemClock().now(), progress=progress)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_evaluation(reply, Numbers("en", zone, reply.currency)))


def _show_evaluation(reply: EvaluateAgentReply, numbers: Numbers) -> None:
    title = f"{reply.site_id}: {len(reply.days)} unseen days, {reply.days[0]} to {reply.days[-1]}"
    table(SCORE_HEADINGS, [_score_row(name, score, numbers) for name, score in reply.policies.items()], title=title)
    out.print(_tell_breaches(reply))
    weeks = ", ".join(f"{week.first} ({week.days})" if week.days < 7 else f"{week.first}" for week in reply.weeks)
    out.print(f"Weeks from: {weeks}")
    out.print(reply.rule, style="dim")
    for day, reason in reply.skipped.items():
        out.print(f"Skipped {day}: {reason}")
    for policy, reason in reply.refused.items():
        out.print(f"{say_policy(policy, language='en')} {reason}")
    if reply.missing:
        out.print(f"Never trained: {', '.join(reply.missing)}; luna agent train --site {reply.site_id} --kind KIND")


def _score_row(name: str, score: PolicyScore, numbers: Numbers) -> list[str]:
    share = "–" if score.score is None else numbers.share(score.score, decimals=1)
    interval = "" if score.low is None or score.high is None else f" [{score.low * 100:.1f}, {score.high * 100:.1f}]"
    beside = [_tell_points(score.over_mpc), "–" if score.over_mpc is None else f"{score.over_mpc.p_value:.3f}", _tell_points(score.over_self_consumption)]
    return [say_policy(name, language="en"), numbers.money(score.cost), share + interval, *beside, f"{score.mode_changes_per_day:.1f}"]


def _tell_points(found: Comparison | None) -> str:
    return "–" if found is None else f"{found.points:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


def _tell_breaches(reply: EvaluateAgentReply) -> str:
    wrong = [
        f"{say_policy(name, language='en')}: {score.violations} breaches, {score.unmet_kwh:.1f} kWh unmet"
        for name, score in reply.policies.items()
        if score.violations or score.unmet_kwh
    ]
    return f"Wrong: {'; '.join(wrong)}" if wrong else "No limit was broken, all demand was met."


@app.command()
def status(*, site: SiteOption, as_json: JsonOption = False) -> None:
    """Show where the agent stands on the road to control: what speaks for it, which modes are offered, what has to happen next."""
    from luna.platform.database import sites
    from luna.platform.database.agent_status import read_status
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        zone, found = find_zone(connection, site), read_status(connection, sites.load(connection, site), now=SystemClock().now())
    emit(found.model_dump(mode="json"), as_json=as_json, show=lambda: _show_status(found, zone))


def _show_status(found: AgentStatus, zone: ZoneInfo) -> None:
    trained = "not trained" if found.trained_at is None else f"{found.run_id}, learned until {say_instant(found.trained_at, zone)}"
    out.print(f"{found.site_id}: {say_policy(found.policy, language='en')}, {trained}")
    latest = "" if found.last_shadow_plan is None else f", the last one {say_instant(found.last_shadow_plan, zone)}"
    out.print(f"Mode {found.mode}, asked for: {found.wanted}. {found.shadow_plans} plans in shadow{latest}.")
    judged = [(mode.mode, each) for mode in found.modes for each in mode.evidence] or [("full_control", each) for each in found.evidence]
    evidence = [[mode, each.kind, f"{each.days} of {each.needed}", _tell_evidence(each), str(each.violations)] for mode, each in judged]
    table(EVIDENCE_HEADINGS, evidence, words=EVIDENCE_HEADINGS[:2])
    table(MODE_HEADINGS, [[each.mode, each.state, each.reason] for each in found.modes], words=MODE_HEADINGS)
    out.print(f"Next: {found.next_step}")
    if found.next_step_code == "train":
        out.print(f"luna agent train --site {found.site_id} --kind {AGENT_POLICIES[found.policy]}")


def _tell_evidence(found: GateEvidence) -> str:
    if found.points is None or found.low is None or found.high is None:
        return "–"
    return f"{found.points:+.2f} [{found.low:+.2f}, {found.high:+.2f}]"


@app.command()
def compare(
    *,
    site: SiteOption,
    policies: Annotated[str, typer.Option(help="Two policies: the one that is to be better, and the one it is held against.")] = "antares,mpc",
    first: MaybeFirstDayOption = None,
    last: MaybeLastDayOption = None,
    system_id: Annotated[str, typer.Option(help="The replays whose scores are compared: simulation, evaluation_agent.")] = "simulation",
    as_json: JsonOption = False,
) -> None:
    """Say what one policy gains over another on the days that replays scored for both, and how sure that is."""
    pair = split_policies(policies)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise InvalidInputError("names two policies", field="--policies", value=policies, remedy="Name two, such as antares,mpc.")
    from luna.platform.database import scores, sites
    from services.agent.evaluation.compare import compare_stored
    from services.cli.storage import unit_of_work

    with unit_of_work() as connection:
        zone, currency = find_zone(connection, site), sites.load(connection, site).currency
        scored = scores.read_daily(connection, site, system_id=system_id, first=first, last=last)
    reply = compare_stored(site, scored, (pair[0], pair[1]), currency=currency)
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show_comparison(reply, Numbers("en", zone, reply.currency)))


def _show_comparison(reply: PolicyComparison, numbers: Numbers) -> None:
    from luna.energy.bootstrap import BLOCK_DAYS

    needed = 2 * BLOCK_DAYS  # blocks of a week say nothing about less than two of them
    policy, over = (say_policy(name, language="en") for name in (reply.policy, reply.over))
    out.print(f"{reply.site_id}, days scored from {reply.from_day} to {reply.to_day}: {reply.days}; {policy} beside {over}")
    gain, low, high = (numbers.money(value, signed=True) for value in (reply.gain, reply.low, reply.high))
    if reply.days < needed:
        out.print(f"Cheaper by {gain}, ahead on {reply.days_ahead} of them; fewer than {needed} days do not tell that from chance.")
        return
    out.print(f"Cheaper by {gain}, 95 % between {low} and {high}; p {reply.p_value:.3f}; ahead on {reply.days_ahead} of them")
    if reply.points is not None:
        out.print(f"In points of perfect foresight's savings: {_tell_points(reply.points)}", markup=False)


@app.command()
def plot(
    *,
    site: SiteOption,
    day: Annotated[date, typer.Option("--day", parser=_read_day, metavar="DAY", help="The local day.")],
    to: Annotated[Path, typer.Option("--out", help="The picture's file, SVG.")],
    policies: Annotated[str, typer.Option(help="One to four, comma-separated.")] = "mpc,antares,oracle",
    slots: Annotated[Path | None, typer.Option(help="Also write every slot to this file: .csv or .json.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a recorded day as policies lived it, side by side: price, battery power, export, state of charge."""
    request = compose_request(DayPictureRequest, site_id=site, day=day, policies=split_policies(policies))
    if slots is not None and slots.suffix not in SLOT_FILES:
        raise InvalidInputError("slots are written as .csv or .json", field="--slots", value=slots.name, remedy="Name a file that ends so.")
    for path in (to, *([] if slots is None else [slots])):
        make_writable(path.parent)
    from services.agent.evaluation.picture import draw_stored_day
    from services.cli.storage import open_database

    with open_database() as engine:
        from luna.platform.database.engine import unit_of_work
        from services.planner.service.replay import Store

        with unit_of_work(engine) as connection:
            zone = find_zone(connection, site)
            reply = draw_stored_day(Store.beside(engine, lambda: connection), request, objects=_open_objects())
    _write(to, reply.svg.encode())
    if slots is not None:
        _write(slots, _compose_slots(reply, slots.suffix).encode())
    document = reply.model_dump(mode="json", exclude={"svg"}) | {"file": str(to)}
    emit(document, as_json=as_json, show=lambda: _show_picture(reply, to, Numbers("en", zone, reply.currency)))


def _compose_slots(reply: DayPictureReply, suffix: str) -> str:
    """Return every slot of every policy: what the reply holds as JSON, or rows with headings."""
    if suffix == ".json":
        return reply.model_dump_json(exclude={"svg"}) + "\n"
    import csv
    from io import StringIO

    from luna.contracts.agent import SlotTrace

    written = StringIO()
    rows = csv.DictWriter(written, ["policy", *SlotTrace.model_fields])
    rows.writeheader()
    rows.writerows({"policy": name, **slot.model_dump(mode="json")} for name, trace in reply.traces.items() for slot in trace.slots)
    return written.getvalue()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as exc:
        raise MachineError(f"cannot be written: {exc.strerror}", field=str(path), remedy="Name a file that you may write.") from exc


def _show_picture(reply: DayPictureReply, to: Path, numbers: Numbers) -> None:
    rows = [
        [
            say_policy(name, language="en"),
            numbers.money(trace.cost - (trace.value_gain or 0.0)),
            *(
                f"{part.kwh:.1f} kWh in {part.slots} slots at {numbers.number(part.mean_price, 3)}, {part.cheap} of them cheap"
                for part in (trace.charging, trace.discharging)
            ),
        ]
        for name, trace in reply.traces.items()
    ]
    table(PICTURE_HEADINGS, rows, title=f"{reply.day}, out of {reply.from_day} to {reply.to_day}; stored energy counted in", words=PICTURE_HEADINGS[2:])
    out.print(f"Drawn: {to}")


def _open_objects() -> "ObjectStore":
    from luna.platform.objects import open_objects
    from luna.platform.settings import load_settings

    return open_objects(load_settings())
