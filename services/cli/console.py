"""Output of commands.

Tables for people, one JSON document for machines, errors on stderr in the same form.
"""

import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Literal

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from luna.energy.errors import LunaError

JSON_FLAG = "--json"
JsonOption = Annotated[bool, typer.Option(JSON_FLAG, help="Write one JSON document to stdout.")]

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
# Longer lines are hard to read.
MAX_TEXT_COLUMNS = 100


def write_json(document: Any) -> None:
    """Write one JSON document, for machines."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, default=str) + "\n")


def emit(document: Any, *, as_json: bool, show: Callable[[], None]) -> None:
    """Write ``document`` for machines, or call ``show`` for people."""
    if as_json:
        write_json(document)
    else:
        show()


def table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    title: str | None = None,
    words: Sequence[str] = (),
    none: str = "",
) -> None:
    """Print a table, right-aligned but for the first column and those headed by ``words``.

    Without rows print ``none``, if given.
    """
    if none and not rows:
        out.print(none)
        return
    # A terminal wraps what is wider than itself; cut off, an id could not be given to the next
    # command.
    out.print(build_table(headings, rows, title=title, words=words), crop=False)


def write_text(text: str) -> None:
    """Print sentences.

    On a terminal a line wraps between words and keeps its indent, in a pipe it stays whole.
    """
    if out.is_terminal:
        # Addresses, keys and paths stay whole, to be copied.
        fill = partial(
            textwrap.fill,
            width=min(out.width, MAX_TEXT_COLUMNS),
            break_long_words=False,
            break_on_hyphens=False,
        )
        filled = []
        for line in text.split("\n"):
            indent = line[: -len(line.lstrip())]
            filled.append(fill(line, subsequent_indent=indent))
        text = "\n".join(filled)
    out.print(text, markup=False, soft_wrap=True)


def build_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    title: str | None = None,
    words: Sequence[str] = (),
) -> Table:
    """Return a table as ``table`` prints it.

    No word of a row is cut, and in a pipe each row is one line.
    """
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    # Text, not markup: a sensor's name may hold brackets around its unit.
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    for index, heading in enumerate(headings):
        column = [row[index].plain for row in cells]
        if not out.is_terminal:
            column.insert(0, heading)
        justify: Literal["left", "right"] = "left" if index == 0 or heading in words else "right"
        grid.add_column(Text(heading), justify=justify, min_width=_measure_unbroken(column))
    for row in cells:
        grid.add_row(*row)
    return grid


def _measure_unbroken(column: Sequence[str]) -> int:
    """Return the width of the longest part that stays unbroken.

    That is a word on a terminal, a line in a pipe.
    """
    widest = 0
    for cell in column:
        parts = cell.split() if out.is_terminal else cell.splitlines()
        for part in parts:
            widest = max(widest, cell_len(part))
    return widest


def report(error: LunaError, *, as_json: bool) -> None:
    """Write an error on standard error, as a problem document or in plain words."""
    if as_json:
        sys.stderr.write(json.dumps(error.problem(), ensure_ascii=False) + "\n")
    else:
        err.print(f"[bold red]{error.title}[/]: {escape(str(error))}", soft_wrap=True)


@contextmanager
def follow_progress(
    title: str, *, quiet: bool = False
) -> Iterator[Callable[[int, int, str], None]]:
    """Yield a function that shows progress on standard error.

    Its arguments are the steps done, the steps in all and the current one.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=err,
        disable=quiet,
        transient=True,
    ) as bar:
        task = bar.add_task(title, total=None)

        def show_progress(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total, description=f"{title} {label}")

        yield show_progress
