"""Sentences that several commands print: what a plan or replay rests on, and what drives a site's planner."""

from datetime import tzinfo

from luna.contracts.forecast import DrivingVersion, WaitingVersion
from luna.contracts.plan import NoteReply
from luna.words import Language, say_instant
from luna.words.phrases import read_texts
from services.cli.console import out


def show_note(note: NoteReply, language: Language = "en") -> None:
    """Print a note with the command that goes with it; what was assumed is called so."""
    words = read_texts("plan_command", language)
    command = words.get(f"do_{note.code}", "").format_map(note.figures)
    out.print(f"{words['head_assumed' if note.assumed else 'head_note']}: {note.text} {command}".rstrip(), soft_wrap=True, markup=False)


def show_driving(driving: DrivingVersion, zone: tzinfo, *, planned: str | None = None) -> None:
    """Print which version drives the planner and why, and what waits to.

    Args:
        driving: as the reply tells it.
        zone: of the site.
        planned: what was planned from; where that is another version, it was asked for.
    """
    since = "" if driving.since is None else f" since {say_instant(driving.since, zone)}"
    model = "" if driving.run_id is None else f", training {driving.run_id}"
    lines = [f"{driving.forecast_version} drives the planner{since}{model}: {driving.reason}"]
    if planned is not None and planned != driving.forecast_version:
        lines.append(f"This was planned from {planned}, as asked for.")
    out.print("\n".join(lines if driving.waiting is None else [*lines, _say_waiting(driving.waiting)]), soft_wrap=True, markup=False)


def _say_waiting(waiting: WaitingVersion) -> str:
    found = f"{waiting.forecast_version} is trained, and {waiting.days} of {waiting.needed} days are scored"
    if waiting.days >= waiting.needed:
        found = f"{waiting.forecast_version} is trained, and on {waiting.days} scored days it was not found better"
    when = "" if waiting.earliest is None else f"; it may take over from {waiting.earliest} on, while `luna up` runs"
    return f"{found}{when}. Use it now: {waiting.command}"
