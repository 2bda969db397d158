"""``luna key``: what programs sign their requests to the gateway with."""

from typing import TYPE_CHECKING, Annotated

import typer

from luna.energy.errors import NotFoundError
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import compose_request, unit_of_work

if TYPE_CHECKING:
    from luna.contracts.identity import Key

app = typer.Typer(help="Make, list and remove keys for programs.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    user: Annotated[str, typer.Option(help="Whose it is; it may no more than this user.")],
    *,
    scope: Annotated[
        list[str] | None, typer.Option(help="What it may: read, analyse, operate, data, configure, administer; may be repeated; usual: read.")
    ] = None,
    site: Annotated[list[str] | None, typer.Option("--site", help="A site it has; may be repeated; usual: all of the user's.")] = None,
    days: Annotated[int, typer.Option(help="Days until it ends.")] = 365,
    as_json: JsonOption = False,
) -> None:
    """Make a key and show it, this once."""
    from luna.contracts.identity import NewKey
    from luna.platform.clock import SystemClock
    from luna.platform.database import api_keys, users

    wanted = compose_request(NewKey, name=name, scopes=tuple(scope or ("read",)), sites=tuple(site) if site else None, days=days)
    with unit_of_work() as connection:
        owner = users.find_credentials(connection, user)
        if owner is None:
            raise NotFoundError("no such user", field="--user", value=user, remedy="List them: luna user list.")
        made = api_keys.make(connection, owner.user_id, wanted, now=SystemClock().now())
    emit(made.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{made.key}\nIt is shown this once.", markup=False, soft_wrap=True))


@app.command("list")
def list_keys(*, as_json: JsonOption = False) -> None:
    """List keys, without their secrets."""
    from luna.platform.database import api_keys

    with unit_of_work() as connection:
        keys, _ = api_keys.list_before(connection, limit=10_000)
    emit(
        {"keys": [key.model_dump(mode="json") for key in keys]},
        as_json=as_json,
        show=lambda: table(HEADINGS, [_row(key) for key in keys], words=HEADINGS, none="There is no key."),
    )


@app.command()
def remove(prefix: Annotated[str, typer.Argument(help="The key's second part, after luna_.")], *, as_json: JsonOption = False) -> None:
    """Take a key away, for good."""
    from luna.platform.database import api_keys

    with unit_of_work() as connection:
        api_keys.remove(connection, prefix)
    emit({"removed": prefix}, as_json=as_json, show=lambda: out.print(f"The key {prefix} holds no more.", markup=False))


HEADINGS = ("key", "for", "user", "scopes", "sites", "until")


def _row(key: "Key") -> list[str]:
    sites = "all of the user's" if key.sites is None else ", ".join(key.sites) or "none"
    return [key.prefix, key.name, key.user, ", ".join(key.scopes), sites, f"{key.expires_at:%Y-%m-%d}"]
