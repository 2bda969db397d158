"""``luna data quarantine``: rows that were refused, and what to do about them."""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from luna.contracts.data import Resolution, ResolveRequest
from luna.energy.errors import InvalidInputError
from services.cli.console import JsonOption, emit, out
from services.cli.declared import build_group
from services.cli.storage import compose_request, unit_of_work

if TYPE_CHECKING:
    from luna.contracts.data import ResolveReply

app = build_group("data quarantine", "List refused rows; release, correct or dismiss one.")

RowArgument = Annotated[int, typer.Argument(help="The row's number.", metavar="ID")]


@app.command()
def release(row: RowArgument, *, as_json: JsonOption = False) -> None:
    """Let a row in as it is: it is right although a rule refused it. Every other rule holds."""
    _resolve(row, "released", {}, as_json=as_json)


@app.command()
def correct(
    row: RowArgument,
    *,
    value: Annotated[list[str], typer.Option(help="Column and value as it should have been: load_kwh=0.3. May be repeated.")],
    as_json: JsonOption = False,
) -> None:
    """Let a row in with other values; what was received is kept beside them."""
    _resolve(row, "corrected", _parse_values(value), as_json=as_json)


@app.command()
def dismiss(row: RowArgument, *, as_json: JsonOption = False) -> None:
    """Leave a row out for good."""
    _resolve(row, "dismissed", {}, as_json=as_json)


def _resolve(row: int, resolution: Resolution, values: dict[str, str], *, as_json: bool) -> None:
    from luna.platform.clock import SystemClock
    from services.ingest.quarantine_release import resolve_row

    request = compose_request(ResolveRequest, quarantine_id=row, resolution=resolution, values=values, by=getpass.getuser())
    with unit_of_work() as connection:
        reply = resolve_row(connection, request, now=SystemClock().now())
    emit(reply.model_dump(mode="json"), as_json=as_json, show=lambda: _show(reply))


def _parse_values(given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for text, (column, _, value) in zip(given, pairs, strict=True):
        if not column or not value:
            raise InvalidInputError("a column and a value are needed", field="--value", value=text, remedy="Write them as load_kwh=0.3.")
    return {column: value for column, _, value in pairs}


def _show(reply: "ResolveReply") -> None:
    out.print(f"Row {reply.row.quarantine_id} is {reply.row.resolution}; {reply.slots_changed} values of the past changed.")
