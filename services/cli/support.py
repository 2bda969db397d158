"""``luna support``: what somebody who helps needs to know."""

import sys
from datetime import UTC
from pathlib import Path
from typing import Annotated

import typer

from luna.energy.errors import InvalidInputError
from luna.platform.clock import SystemClock
from services.cli.console import JsonOption, emit, out

app = typer.Typer(no_args_is_help=True, help="Put together what somebody who helps needs to know.")


@app.callback()
def _group() -> None:
    """Have `bundle` be a command of its own, also while it is the only one."""


@app.command()
def bundle(
    *,
    to: Annotated[
        Path | None,
        typer.Option("--out", help="The archive to write; default: luna-support-DATE.zip here."),
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(help="A log to put in, - for standard input, such as of docker compose logs."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write one archive with versions, settings, findings, health, jobs and the ends of logs.

    No secret is in it.
    """
    from luna.platform.doctor.bundle import TAIL_BYTES, write_bundle
    from luna.platform.doctor.examination import examine

    clock = SystemClock()
    now = clock.now()
    path = to or Path(f"luna-support-{now.astimezone(UTC):%Y-%m-%d}.zip")
    logs: dict[str, bytes] = {}
    for each in log or []:
        from_input = str(each) == "-"
        try:
            content = sys.stdin.buffer.read() if from_input else each.read_bytes()
        except OSError as exc:
            raise InvalidInputError(
                f"the log cannot be read: {exc.strerror}",
                field="--log",
                value=str(each),
                remedy="Name a readable file.",
            ) from exc
        logs["input.log" if from_input else each.name] = content[-TAIL_BYTES:]
    files = write_bundle(path, examine(clock=clock), logs=logs, now=now)
    emit(
        {"path": str(path), "files": files},
        as_json=as_json,
        show=lambda: out.print(
            f"{path} holds {', '.join(files)}. Look through it before you send it."
        ),
    )
