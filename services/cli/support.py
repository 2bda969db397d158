"""``luna support``: what somebody who helps needs to know."""

import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from luna.energy.errors import InvalidInputError
from luna.platform.clock import SystemClock
from services.cli.console import JsonOption, out, write_json

app = typer.Typer(no_args_is_help=True, help="Write a file for the person who helps you.")


@app.callback()
def _group() -> None:
    """Have `bundle` be a command of its own, also while it is the only one."""


@app.command()
def bundle(
    *,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="The archive to write (default: luna-support-DATE.zip here)."),
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="Add this log; - for standard input. May be repeated."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write an archive with versions, settings, health, jobs and logs, without secrets."""
    from luna.house.doctor.bundle import TAIL_BYTES, write_bundle
    from luna.house.doctor.examination import examine

    clock = SystemClock()
    now = clock.now()
    path = to or Path(f"luna-support-{now.astimezone(UTC):%Y-%m-%d}.zip")
    logs: dict[str, bytes] = {}
    for log_path in log or []:
        from_input = str(log_path) == "-"
        try:
            content = sys.stdin.buffer.read() if from_input else log_path.read_bytes()
        except OSError as exc:
            raise InvalidInputError(
                f"the log cannot be read: {exc.strerror}",
                field="--log",
                value=str(log_path),
                remedy="Name a readable file.",
            ) from exc
        name = "input.log" if from_input else log_path.name
        logs[name] = content[-TAIL_BYTES:]
    files = write_bundle(path, examine(clock=clock), logs=logs, now=now)
    if as_json:
        write_json({"path": str(path), "files": files})
    else:
        out.print(f"{path} holds {', '.join(files)}. Check it before you send it.")
