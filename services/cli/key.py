"""``luna key``: what programs sign their requests to the gateway with."""

from typing import Annotated

import typer

from luna.contracts.identity import NewKey
from luna.energy.errors import InvalidInputError
from luna.house.capabilities.keys import create_key
from services.cli.command_target import find_server
from services.cli.console import JsonOption
from services.cli.declared import build_group, emit_reply, open_desk
from services.cli.options import compose_request

# A reader of this machine's files makes keys for anybody; elsewhere a key is the caller's own.
app = build_group("key", "Make, list and remove keys for programs.", by_hand=frozenset({"add"}))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The key's purpose.")],
    user: Annotated[
        str | None,
        typer.Option(help="The key's user (default with --server: you)."),
    ] = None,
    *,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                "A permission: read, analyse, operate, data, configure or administer "
                "(default: read). May be repeated."
            )
        ),
    ] = None,
    site: Annotated[
        list[str] | None,
        typer.Option(
            "--site", help="A site the key may use (default: all of the user's). May be repeated."
        ),
    ] = None,
    days: Annotated[int, typer.Option(help="Days until the key expires.")] = 365,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it once."""
    elsewhere = find_server() is not None
    if elsewhere == (user is not None):
        if elsewhere:
            reason = "a key from another Luna is always for its caller"
            remedy = "Leave it out."
        else:
            reason = "needs the key's user"
            remedy = "List people: luna user list."
        raise InvalidInputError(reason, field="--user", value=user, remedy=remedy)
    new_key = compose_request(
        NewKey,
        name=name,
        scopes=tuple(scope or ("read",)),
        sites=tuple(site) if site else None,
        days=days,
    )
    with open_desk(user=user) as desk:
        created = desk.ask(create_key, {"key": new_key})
    emit_reply(create_key, created, as_json=as_json)
