"""``luna answers``: what was asked and answered, and from what."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.ask import show_sources
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import unit_of_work

if TYPE_CHECKING:
    from luna.contracts.answers import StoredAnswer

app = typer.Typer(help="List and show what was asked and answered.", no_args_is_help=True)

HEADINGS = ("answer", "at (UTC)", "user", "question", "worded by", "refused", "feedback", "seconds")
MOST_SHOWN = 60


@app.command("list")
def list_answers(
    *,
    user: Annotated[str | None, typer.Option(help="What this user asked alone.")] = None,
    refused: Annotated[bool | None, typer.Option(help="What was not found alone, or what was.")] = None,
    feedback: Annotated[Literal["helpful", "unhelpful"] | None, typer.Option(help="What was found so alone.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List what was asked and answered, the latest first."""
    from luna.platform.database import answers

    with unit_of_work() as connection:
        found = answers.list_before(connection, answers.AnswerFilter(user, refused, feedback), limit=limit)
    rows = [
        [
            each.answer.answer_id,
            f"{each.answer.answered_at:%Y-%m-%d %H:%M:%S}",
            each.asked_by,
            each.answer.question[:MOST_SHOWN],
            each.answer.model or "",
            "yes" if each.answer.refused else "",
            each.feedback or "",
            f"{each.answer.latency_seconds:.1f}",
        ]
        for each in found
    ]
    document = {"answers": [each.model_dump(mode="json") for each in found]}
    emit(document, as_json=as_json, show=lambda: table(HEADINGS, rows, words=HEADINGS[:-1], none="Nothing was asked yet."))


@app.command("show")
def show_answer(answer: Annotated[str, typer.Argument(help="The answer's id.")], *, as_json: JsonOption = False) -> None:
    """Show an answer with what it was made from."""
    from luna.platform.database import answers

    with unit_of_work() as connection:
        stored = answers.load(connection, answer, asked_by=None)
    emit(stored.model_dump(mode="json"), as_json=as_json, show=lambda: _show(stored))


def _show(stored: "StoredAnswer") -> None:
    out.print(stored.answer.answer, markup=False)
    show_sources(stored.answer)
