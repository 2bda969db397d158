"""``luna user``: who may sign in at the gateway."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from luna.contracts.identity import Role
from services.cli.console import JsonOption, emit, out, table
from services.cli.storage import compose_request, unit_of_work

if TYPE_CHECKING:
    from luna.contracts.identity import User

app = typer.Typer(help="Add, change and remove people who may sign in.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The user's name.")]
RoleOption = Annotated[Role, typer.Option(help="user: plans and control; analyst: questions and data; admin: everything, on every site.")]
SitesOption = Annotated[list[str] | None, typer.Option("--site", help="A site that this user has; may be repeated.")]
FileOption = Annotated[Path | None, typer.Option(help="A file with the password; usual: it is asked for.", exists=True, dir_okay=False)]


@app.command()
def add(name: NameArgument, *, role: RoleOption = "user", site: SitesOption = None, password_file: FileOption = None, as_json: JsonOption = False) -> None:
    """Add a person; the first one is an admin, and from then on everybody signs in."""
    from luna.contracts.identity import NewUser
    from luna.platform import passwords
    from luna.platform.database import users

    password = _read_password(password_file)
    wanted = compose_request(NewUser, name=name, password=password, role=role, sites=tuple(site or ()))
    passwords.require_good(password, name=wanted.name)
    kept = passwords.hash_password(password)
    with unit_of_work() as connection:
        first = not users.any_there(connection)
        made = users.add_first(connection, wanted, kept) if first else users.add(connection, wanted, kept)
    emit(made.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{made.name} may sign in as {made.role}.", markup=False))


@app.command("list")
def list_users(*, as_json: JsonOption = False) -> None:
    """List who may sign in."""
    from luna.platform.database import users

    with unit_of_work() as connection:
        found = users.list_after(connection, limit=10_000)
    document = {"users": [user.model_dump(mode="json") for user in found]}
    emit(document, as_json=as_json, show=lambda: _show(found))


@app.command()
def change(
    name: NameArgument,
    *,
    role: Annotated[Role | None, typer.Option(help="The role from now on.")] = None,
    site: Annotated[list[str] | None, typer.Option("--site", help="A site that this user has from now on; may be repeated; instead of all before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a person's role or sites."""
    from luna.platform.database import users

    with unit_of_work() as connection:
        changed = users.change(connection, name, role=role, sites=site)
    emit(changed.model_dump(mode="json"), as_json=as_json, show=lambda: _show([changed]))


@app.command()
def password(name: NameArgument, *, password_file: FileOption = None, as_json: JsonOption = False) -> None:
    """Give a person a new password; every sign-in of theirs ends."""
    from luna.platform import passwords
    from luna.platform.database import users

    new = _read_password(password_file)
    passwords.require_good(new, name=name)
    kept = passwords.hash_password(new)
    with unit_of_work() as connection:
        changed = users.change(connection, name, password_hash=kept)
    emit(changed.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(f"{name} has a new password; every sign-in has ended.", markup=False))


@app.command()
def remove(name: NameArgument, *, as_json: JsonOption = False) -> None:
    """Remove a person with their sign-ins and keys; what they did stays in the audit log."""
    from luna.platform.database import users

    with unit_of_work() as connection:
        users.remove(connection, name)
    emit({"removed": name}, as_json=as_json, show=lambda: out.print(f"{name} may not sign in any more.", markup=False))


def _read_password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    return str(typer.prompt("Password (12 characters and more)", hide_input=True, confirmation_prompt=True, err=True))


def _show(users: "Sequence[User]") -> None:
    rows = [[user.name, user.role, ", ".join(user.sites) or ("every site" if user.role == "admin" else "none")] for user in users]
    table(["user", "role", "sites"], rows, words=["role", "sites"], none="Nobody is set up; from this machine itself everything is allowed.")
