"""``luna data guess``: what a file of a portal, an inverter or Home Assistant is, and what would be stored of it."""

from pathlib import Path
from typing import Annotated

import typer

from luna.contracts.data import LoadReply
from luna.contracts.file_guess import FileGuess, GuessReason
from luna.energy.errors import InvalidInputError
from luna.platform.clock import SystemClock
from luna.platform.database import sites
from luna.platform.desk.servers import unit_of_work
from luna.platform.settings import load_settings
from luna.words.pages import page_words
from luna.words.quality import say_series
from services.cli.console import JsonOption, emit, err, out, table
from services.cli.options import SiteOption


def register(app: typer.Typer) -> None:
    """Add the command to ``luna data``."""
    app.command(name="guess")(guess)


def guess(
    file: Annotated[Path, typer.Argument(help="CSV, Excel (.xlsx) or JSON, of whatever columns.")],
    *,
    site: SiteOption,
    choose: Annotated[list[str] | None, typer.Option(help="What the file does not say: zone=UTC, column:Wert=import_kwh. May be repeated.")] = None,
    store: Annotated[bool, typer.Option("--store", help="Store it as shown; nothing is stored while a question is open.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Guess what the columns of any file are and show what would be stored, in which unit and by which clock; ``--store`` stores it."""
    from services.ingest.file_guess.guess import guess_file
    from services.ingest.limited_file import FileLimits
    from services.ingest.loading import FileForm, load_file
    from services.ingest.upload_service import describe

    limits = FileLimits.of(load_settings())
    with err.status(f"Reading {file.name} …") as status, unit_of_work() as connection:
        zone = sites.load(connection, site).timezone
        found = guess_file(file, file_name=file.name, timezone=zone, choices=_parse_choices(choose), limits=limits)
        loaded = None
        if store:
            if found.reading is None:
                raise InvalidInputError("the file leaves a question open", field="--choose", remedy=" ".join(_say_questions(found)))
            form = FileForm.of_reading(found.reading, scratch=None, received_at=SystemClock().now(), limits=limits)
            loaded = describe(load_file(connection, site, file, form, progress=lambda rows: status.update(f"Reading {file.name}: {rows:,} rows …")))
    document = {"guess": found.model_dump(mode="json"), "loaded": None if loaded is None else loaded.model_dump(mode="json")}

    def show() -> None:
        _show(found)
        if loaded is not None:
            show_counts(loaded, title="Stored")
            for said in [*loaded.notes, *(f"{count:,}: {reason}" for reason, count in loaded.reasons.items())]:
                out.print(f"  {said}", markup=False)

    emit(document, as_json=as_json, show=show)


def show_counts(loaded: LoadReply, *, title: str | None = None) -> None:
    """Print what became of a file's rows."""
    counts = {name: getattr(loaded, name) for name in ("rows", "accepted", "repaired", "quarantined", "duplicated")}
    table(list(counts), [[f"{count:,}" for count in counts.values()]], title=title)


def _parse_choices(given: list[str] | None) -> dict[str, str]:
    # A column's name may hold an equals sign, what is chosen does not.
    pairs = [(text, *text.rpartition("=")) for text in given or []]
    for text, key, _, chosen in pairs:
        if not key or not chosen:
            raise InvalidInputError("a question and an answer are needed", field="--choose", value=text, remedy="Write it as in --choose zone=UTC.")
    return {key: chosen for _, key, _, chosen in pairs}


def _show(found: FileGuess) -> None:
    for reason in found.reasons:
        out.print(f"  {_say(reason)}", markup=False)
    cells = [
        [
            column.name,
            column.stored_as,
            column.unit,
            column.measure if column.stored_as != "nothing" else "",
            column.confidence,
            "; ".join(map(_say, column.reasons)),
        ]
        for column in found.columns
    ]
    headings = ["column", "stored as", "unit", "figures", "sure", "why"]
    table(headings, cells, words=headings)
    if found.preview is not None and found.preview.first is not None:
        names = [series.name for series in found.preview.series]
        values = {(total.month, total.name): total.value for total in found.preview.totals}
        months = sorted({month for month, _ in values})
        words = page_words("file_guess", "en")
        title = words("totals") if found.preview.whole else f"{words('totals')} ({words('totals_part')})"
        rows = [[month, *(f"{values[month, name]:,.3f}" if (month, name) in values else "–" for name in names)] for month in months]
        table(["month", *(say_series(name, language="en") for name in names)], rows, title=title)
    for question in _say_questions(found):
        out.print(question, markup=False)


def _say_questions(found: FileGuess) -> list[str]:
    said: list[str] = []
    words = page_words("file_guess", "en")
    for question in found.questions:
        asked = words(f"question_{question.code}", column=question.column or "")
        taken = f"; taken: {question.likely}" if question.likely else ""
        said.append(f"{asked} --choose '{question.key}={'|'.join(question.choices)}'{taken}")
    return said


def _say(reason: GuessReason) -> str:
    return page_words("file_guess", "en")(f"reason_{reason.code}", **reason.figures)
