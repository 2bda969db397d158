"""``luna backup``: backups of everything Luna keeps, and back."""

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from luna.platform.embedded.supervisor import running
from luna.platform.settings import load_settings
from services.cli.console import JsonOption, emit, err, out, table, write_json, write_text

app = typer.Typer(no_args_is_help=True, help="Make, list, check and restore backups.")

AtOption = Annotated[
    str,
    typer.Option(
        help=(
            "newest (the newest backup), latest (the newest state), a backup's id, or a "
            "time such as 2026-05-01T12:00:00Z."
        )
    ),
]
HEADINGS = ("backup", "made (UTC)", "until (UTC)", "why", "Luna", "tables", "rows", "objects", "MB")


@app.command()
def create(*, as_json: JsonOption = False) -> None:
    """Make a backup now, in addition to the automatic ones."""
    from services.backup.create import create_backup, open_work
    from services.backup.retention import prune

    settings = load_settings()
    with running(settings) as addresses, open_work(settings, addresses.database_url) as work:
        manifest = create_backup(work, "asked")
        prune(work.folder, work.settings)
        root = work.folder.root
    document = {
        "backup": manifest.backup_id,
        "folder": str(root),
        "rows": manifest.rows,
        "objects": len(manifest.objects),
        "bytes": manifest.bytes,
    }
    sentence = (
        f"{manifest.backup_id}: {manifest.rows} rows, {len(manifest.objects)} objects, in {root}."
    )
    emit(document, as_json=as_json, show=partial(out.print, sentence, soft_wrap=True))


@app.command("list")
def list_backups(*, as_json: JsonOption = False) -> None:
    """List backups, newest first, and how far each can be restored."""
    from services.backup.chain import list_restorable, name_missing
    from services.backup.create import NOT_KEPT
    from services.backup.folder import open_folder

    folder = open_folder(load_settings())
    backups = [*list_restorable(folder)][::-1]
    entries = []
    for backup in backups:
        until = backup.chain.until
        entry = backup.manifest.model_dump(mode="json", exclude={"objects"})
        entry["restorable_until"] = None if until is None else until.isoformat()
        entries.append(entry)
    missing = name_missing(backups)
    status = folder.read_status()
    if as_json:
        write_json(
            {
                "folder": str(folder.root),
                "backups": entries,
                "status": status,
                "missing_segments": missing,
                "not_kept": NOT_KEPT,
            }
        )
        return
    rows = []
    for backup in backups:
        manifest = backup.manifest
        until = backup.chain.until
        rows.append(
            [
                manifest.backup_id,
                f"{manifest.finished_at:%Y-%m-%d %H:%M:%S}",
                "cannot be restored" if until is None else f"{until:%Y-%m-%d %H:%M:%S}",
                manifest.reason,
                manifest.luna_version,
                str(len(manifest.tables)),
                str(manifest.rows),
                str(len(manifest.objects)),
                f"{manifest.bytes / 1e6:.1f}",
            ]
        )
    table(
        HEADINGS,
        rows,
        words=["made (UTC)", "until (UTC)", "why", "Luna"],
        none="There is no backup yet: luna backup create.",
    )
    if "wal_at" in status:
        out.print(f"The log is backed up until {str(status['wal_at'])[:19]} UTC.")
    if missing:
        sentence = (
            f"Segments of the log are missing: {', '.join(missing)}. Make a backup now: luna "
            "backup create."
        )
        out.print(f"[yellow]{sentence}[/]", soft_wrap=True)
    write_text(f"Not kept: {', '.join(NOT_KEPT)}.")


@app.command()
def verify(
    backup: Annotated[str, typer.Argument(help="The backup's id, or newest.")] = "newest",
    *,
    as_json: JsonOption = False,
) -> None:
    """Read a whole backup and compare its checksums; restore nothing."""
    from services.backup.checksums import verify_backup
    from services.backup.folder import open_folder

    result = verify_backup(open_folder(load_settings()), backup)
    sentence = (
        f"{result['backup']} is complete: {result['files']} files, {result['segments']} "
        f"of the log, {result['objects']} objects."
    )
    emit(result, as_json=as_json, show=partial(out.print, sentence))


@app.command()
def prune(*, as_json: JsonOption = False) -> None:
    """Delete the backups that the settings no longer keep."""
    from services.backup.folder import open_folder
    from services.backup.retention import prune as delete

    settings = load_settings()
    deleted = delete(open_folder(settings), settings)
    sentence = f"Deleted: {', '.join(deleted)}." if deleted else "There was nothing to delete."
    emit({"deleted": deleted}, as_json=as_json, show=partial(out.print, sentence))


@app.command()
def restore(
    at: AtOption,
    *,
    as_it_was: Annotated[
        bool,
        typer.Option(
            "--as-it-was",
            help="Keep the backup's schema, for the older Luna that made it.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore everything to a backup or a time. Undo it with luna backup undo."""
    from services.backup.create import NOT_KEPT
    from services.backup.restore import restore as bring_back

    result = bring_back(load_settings(), at, as_it_was=as_it_was, report=_report)
    if as_json:
        write_json(asdict(result) | {"not_kept": NOT_KEPT})
        return
    write_text(
        f"Restored {result.backup_id} as of {result.at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{sum(result.rows.values())} rows, in {result.seconds} s."
    )
    if result.put_back:
        write_text(f"Set these again: {', '.join(result.put_back)}.")
    if result.kept:
        write_text(
            f"The data from before is in {result.kept}; bring it back with luna backup undo."
        )
    write_text(f"Not in a backup: {', '.join(NOT_KEPT)}.")


@app.command()
def undo(*, as_json: JsonOption = False) -> None:
    """Bring back the database from before the last restore."""
    from services.backup.restore import undo as put_back

    folder = put_back(load_settings())
    sentence = (
        f"The database from before the restore is back; the restored one is kept in {folder}."
    )
    emit({"kept": folder}, as_json=as_json, show=partial(out.print, sentence))


@app.command()
def drill(at: AtOption = "newest", *, as_json: JsonOption = False) -> None:
    """Restore a backup into a temporary folder and check it; your data stays as it is."""
    from services.backup.drill import drill as rehearse

    result = rehearse(load_settings(), at, report=_report)
    behind = "the log is not being backed up"
    if result.behind_seconds is not None:
        behind = f"{result.behind_seconds:.0f} s"
    compared = " as the manifest says" if result.compared else ""
    sentence = (
        f"{result.backup_id}: {result.rows} rows in {result.tables} tables and "
        f"{result.objects} objects{compared}.\n"
        f"Restored in {result.seconds} s (RTO). Data you would lose now (RPO): {behind}."
    )
    emit(asdict(result), as_json=as_json, show=partial(out.print, sentence))


@app.command()
def key(
    *,
    identity: Annotated[
        bool,
        typer.Option(
            "--identity",
            help="Print the secret key that the program age reads: age -d -i -.",
        ),
    ] = False,
) -> None:
    """Show who can read the backups.

    Keep a copy of the key on another machine: without it nobody can read the backups.
    """
    from services.backup.encryption import KEY_FILE, open_key

    settings = load_settings()
    opened = open_key(settings, make=True)
    place = "LUNA_BACKUP_KEY" if settings.backup_key else str(settings.data_folder / KEY_FILE)
    text = opened.identity if identity else f"{opened.recipient}\nThe key is in {place}."
    out.print(text, soft_wrap=True)


def _report(step: str) -> None:
    err.print(f"[dim]{step} …[/]")
