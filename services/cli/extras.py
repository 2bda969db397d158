"""``luna extras``: additional libraries; and the question that a command asks which needs one."""

import sys
from typing import Annotated

import typer

from luna.energy.errors import InvalidInputError, LunaError
from luna.energy.refusals import refuse
from luna.platform.extras import (
    EXTRAS,
    Extra,
    PythonEnvironment,
    estimate_minutes,
    install_extra,
    remove_extra,
)
from services.cli.command_target import find_server
from services.cli.console import JsonOption, err, out, write_json
from services.cli.declared import build_group

app = build_group("extras", "Install or remove optional libraries.")

NameArgument = Annotated[str, typer.Argument(help=f"The addition: {', '.join(EXTRAS)}.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Agree without asking, for scripts.")]
NOT_AGREED = "extra-not-agreed"


@app.command("add")
def add_extra(name: NameArgument, *, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Install optional libraries, after you agree to their size."""
    extra = _find(name)
    place = PythonEnvironment.of_this_process()
    if extra.find_missing() and place.find_obstacle(extra) is None and not yes:
        if not sys.stdin.isatty():
            raise refuse(NOT_AGREED, field="extra", value=extra.name, **_figures(extra))
        if not ask_to_install(extra):
            raise typer.Exit(1)
    _install(extra)
    if as_json:
        write_json({"name": name, "installed": True})
    else:
        out.print(f"{name} is installed.")


@app.command("remove")
def take_extra_away(
    name: NameArgument, *, yes: YesOption = False, as_json: JsonOption = False
) -> None:
    """Remove optional libraries."""
    extra = _find(name)
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInputError(
                "removing needs a confirmation",
                field="--yes",
                value=name,
                remedy="Add --yes to confirm.",
            )
        typer.confirm(
            f"Remove {', '.join(extra.modules)} and what came with them?", abort=True, err=True
        )
    remove_extra(extra)
    if as_json:
        write_json({"name": name, "installed": False})
    else:
        out.print(f"{name} is removed.")


def settle_missing(error: LunaError, *, agreed: bool) -> bool:
    """Install the addition that a command lacks, if somebody agrees.

    Return whether the command may be tried again.
    """
    name = str((error.parameters or {}).get("extra"))
    # Packages missing on another machine are not installed here.
    if error.reason != NOT_AGREED or name not in EXTRAS or find_server() is not None:
        return False
    extra = EXTRAS[name]
    if not extra.find_missing() or not (agreed or ask_to_install(extra)):
        return False
    _install(extra)
    return True


def ask_to_install(extra: Extra) -> bool:
    """Return whether somebody at a terminal agrees; without one nobody does."""
    if not sys.stdin.isatty():
        return False
    place = PythonEnvironment.of_this_process()
    err.print(
        f"{extra.purpose} needs {', '.join(extra.modules)}, which are not installed.", markup=False
    )
    err.print(
        f"  download: {extra.download} MB, about {estimate_minutes(extra)} minutes",
        markup=False,
    )
    err.print(
        f"  disk space: {extra.megabytes} MB in {place.libraries}", markup=False, soft_wrap=True
    )
    err.print(f"  remove it again: luna extras remove {extra.name}", markup=False)
    return typer.confirm("Install it?", default=False, err=True)


def _install(extra: Extra) -> None:
    err.print(f"Installing {extra.name} …", markup=False)
    install_extra(extra)


def _find(name: str) -> Extra:
    if name not in EXTRAS:
        raise InvalidInputError(
            "there are no optional libraries of this name",
            field="name",
            value=name,
            remedy=f"There are {', '.join(EXTRAS)}.",
        )
    return EXTRAS[name]


def _figures(extra: Extra) -> dict[str, object]:
    return {
        "extra": extra.name,
        "purpose": extra.purpose,
        "names": tuple(extra.find_missing()),
        "download": extra.download,
        "megabytes": extra.megabytes,
    }
