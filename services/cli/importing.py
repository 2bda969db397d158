"""``luna import``: take over a home from evcc, EMHASS or Predbat."""

from pathlib import Path
from typing import Annotated, Any

import typer

from luna.drivers.profiles import list_profiles, require_profiles
from luna.energy.refusals import refuse
from luna.house.desk.servers import unit_of_work
from luna.house.peer_import import (
    MOST_FILE_BYTES,
    PEERS,
    STATUSES,
    ImportRow,
    PeerImport,
    PeerName,
    import_peer,
)
from luna.platform.clock import SystemClock
from luna.platform.database import site_changes, sites
from luna.platform.settings import load_settings
from luna.words.catalogue import ENGLISH
from luna.words.peer_import import GROUPS, write_import_note
from services.cli.console import JsonOption, emit, out, table, write_text
from services.cli.options import confirm_differences

PeerArgument = Annotated[PeerName, typer.Argument(help="The program that the file is from.")]
FileArgument = Annotated[
    Path,
    typer.Argument(help="Its configuration, such as evcc.yaml, evcc.db, config.json or apps.yaml."),
]


def import_settings(  # noqa: PLR0913 - one per option
    peer: PeerArgument,
    file: FileArgument,
    *,
    site: Annotated[
        str | None, typer.Option("--site", help="The new site's name (default: the file's).")
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option("--timezone", help="The site's time zone (default: the file's or country's)."),
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(
            "--secrets", help="The file that !secret refers to; passwords are not read from it."
        ),
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="Store the site; else it is only shown.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Store without asking.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what Luna makes of another program's settings, and store it with --save.

    Passwords and tokens are neither shown nor stored.
    """
    folder = load_settings().data_folder
    result = import_peer(
        peer,
        _read_file(file),
        profiles=list_profiles(folder),
        name=site,
        timezone=timezone,
        secrets=None if secrets is None else _read_file(secrets),
    )
    if not as_json:
        _show(result)
    if save:
        require_profiles(result.site, folder)
        _store(result, is_named=site is not None, yes=yes, quiet=as_json)
    emit(_describe(result, saved=save), as_json=as_json, show=lambda: _show_end(result, saved=save))


def _read_file(path: Path) -> bytes:
    """Return a file's content, a byte more than is read of it at most.

    Raises:
        InvalidInputError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(MOST_FILE_BYTES + 1)
    except OSError as exc:
        raise refuse("file-unreadable", field=str(path), why=exc.strerror) from exc


def _show(result: PeerImport) -> None:
    for status in STATUSES:
        rows = result.list_rows(status)
        if not rows:
            continue
        out.print()
        headings = ("line", "setting", "there", "in Luna", "here", "what to know")
        table(
            headings,
            [_write_row(row) for row in rows],
            title=f"{GROUPS.say(status, ENGLISH)} ({len(rows)})",
            words=headings,
        )
    out.print()
    out.print(result.text, markup=False, soft_wrap=True, end="")


def _write_row(row: ImportRow) -> tuple[str, ...]:
    note = write_import_note(row.code, row.figures, ENGLISH)
    line = "" if row.line is None else str(row.line)
    return (line, row.key, row.before, row.field, row.after, note)


def _show_end(result: PeerImport, *, saved: bool) -> None:
    called = PEERS[result.peer].called
    if saved:
        out.print(f"Site {result.site.name} is stored.")
    else:
        write_text("Nothing is stored. Store it with --save, or correct it in set-up.")
    if result.site.control is not None:
        write_text(f"Switch {called} off before luna control arm: two programs must not command.")


def _store(result: PeerImport, *, is_named: bool, yes: bool, quiet: bool) -> None:
    """Store the site, after showing how it differs from one of the same name.

    Raises:
        InvalidInputError: there is such a site, and it was not named as the one to replace.
    """
    with unit_of_work() as connection:
        if not is_named and result.site.name in sites.names(connection):
            raise refuse("peer-site-exists", field="--site", name=result.site.name)
        change = site_changes.prepare(connection, result.site, now=SystemClock().now())
        change.require_same_clock()
        confirm_differences(connection, change.site, yes=yes, quiet=quiet)
        site_changes.store(connection, change)


def _describe(result: PeerImport, *, saved: bool) -> dict[str, Any]:
    rows = []
    for status in STATUSES:
        for row in result.list_rows(status):
            note = write_import_note(row.code, row.figures, ENGLISH)
            rows.append(
                {
                    "status": row.status,
                    "code": row.code,
                    "line": row.line,
                    "key": row.key,
                    "before": row.before,
                    "field": row.field,
                    "after": row.after,
                    "note": note,
                }
            )
    return {
        "peer": result.peer,
        "saved": saved,
        "site": dict(result.document),
        "rows": rows,
    }
