"""``luna user``: who may sign in at the gateway."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr

from luna.contracts.identity import UserChange
from luna.house.capabilities.users import change_user
from services.cli.console import JsonOption, out, write_json
from services.cli.declared import build_group, open_desk, read_secret

app = build_group("user", "Add, change and remove users.")

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]
FileOption = Annotated[
    Path | None,
    typer.Option(help="File with the password (default: ask for it).", exists=True, dir_okay=False),
]

RevokeOption = Annotated[
    bool,
    typer.Option("--revoke-keys", help="Also remove the user's keys."),
]


@app.command()
def password(
    name: NameArgument,
    *,
    password_file: FileOption = None,
    revoke_keys: RevokeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give a user a new password.

    It ends all sign-ins of the user. Keys stay, unless you remove them, too.
    """
    secret = SecretStr(read_secret("password", password_file) or "")
    change = UserChange(password=secret, revoke_keys=revoke_keys)
    with open_desk() as desk:
        changed = desk.ask(change_user, {"name": name, "change": change})
    if as_json:
        write_json(changed.model_dump(mode="json"))
    else:
        out.print(f"{name} has a new password; all sign-ins have ended.", markup=False)
