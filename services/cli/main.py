"""Entry point of the command line ``luna``.

The list of commands, imported lazily, and exit codes.
"""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from typing import Annotated, NamedTuple

import typer

from luna.energy.errors import InvalidInputError, LunaError, MachineError
from services.cli.command_target import RemoteServer, name_server, require_over_http
from services.cli.console import JSON_FLAG, out, report


class _CommandEntry(NamedTuple):
    """An entry in the list of commands: its place and its summary.

    The place is a group's module, ``module:function`` of a single command, or None if the command
    is fully declared.
    """

    place: str | None
    summary: str


COMMANDS = {
    "demo": _CommandEntry("demo:show_demo", "Plan a real home and write a report of the savings."),
    "up": _CommandEntry("up:run_here", "Run Luna on this machine until Ctrl-C."),
    "open": _CommandEntry("opening:open_page", "Open the page with a new link."),
    "site": _CommandEntry("site", "Add, list, show and remove homes."),
    "import": _CommandEntry(
        "importing:import_settings", "Take over a home from evcc, EMHASS or Predbat."
    ),
    "data": _CommandEntry("data", "Load, check and query data."),
    "forecast": _CommandEntry("forecast", "Train Aurora, issue forecasts, compare versions."),
    "plan": _CommandEntry("plan:show_new_plan", "Plan the next two days."),
    "plans": _CommandEntry("plans", "List, show, explain, compare and check plans."),
    "why-not": _CommandEntry(
        "alternatives:show_why_not",
        "Show the cost of an alternative to the plan.",
    ),
    "what-if": _CommandEntry(
        "variants:show_what_if",
        "Compare with another battery, tariff, roof or rule.",
    ),
    "replay": _CommandEntry(
        "replay:replay_days", "Compare Luna with other strategies on recorded days."
    ),
    "agent": _CommandEntry(
        "agent",
        "Train, measure and compare Antares, and show its status.",
    ),
    "session": _CommandEntry("session", "Plan when the car is at home and how full it leaves."),
    "car": _CommandEntry(None, "Set how full the car is; accept or decline weekly departures."),
    "tariff": _CommandEntry(None, "Explain what a kWh costs, and why."),
    "energy": _CommandEntry(None, "Show energy and cost of a day, week, month or year."),
    "scores": _CommandEntry(None, "Show the daily cost of each strategy on recorded days."),
    "devices": _CommandEntry(
        "devices",
        "Find, test, add, simulate or share a device.",
    ),
    "manual": _CommandEntry(None, "Set or forbid an action for a while; Luna plans around it."),
    "limits": _CommandEntry(None, "Limit grid power for a while, as the grid operator demands."),
    "control": _CommandEntry("control", "Turn control on or off, or override it for a while."),
    "ask": _CommandEntry(
        "ask:answer_question",
        "Ask a question about your home or your documents.",
    ),
    "answers": _CommandEntry(None, "List and show earlier questions and answers."),
    "search": _CommandEntry(None, "Search your documents."),
    "notify": _CommandEntry("notify", "Send a test message and list sent messages."),
    "docs": _CommandEntry("docs", "Add, list, show and remove documents."),
    "rag": _CommandEntry("rag", "Rebuild the search index and measure the search."),
    "tools": _CommandEntry("tools", "List the tools for a site's data, and call one."),
    "mcp": _CommandEntry(
        "mcp:serve_assistant",
        "Connect an AI assistant by the Model Context Protocol.",
    ),
    "recommend": _CommandEntry("recommend:recommend", "Show tips for your home."),
    "jobs": _CommandEntry("jobs", "Submit, list, watch, cancel or retry jobs."),
    "user": _CommandEntry("user", "Add, change and remove users."),
    "key": _CommandEntry("key", "Make, list and remove keys for programs."),
    "audit": _CommandEntry(None, "Show who did what, and how it ended."),
    "doctor": _CommandEntry("doctor:find_faults", "Check this installation and suggest fixes."),
    "support": _CommandEntry("support", "Write a file for the person who helps you."),
    "extras": _CommandEntry("extras", "List, install and remove optional libraries."),
    "db": _CommandEntry("database", "Upgrade or downgrade the database's schema."),
    "backup": _CommandEntry("backup", "Make, list, check and restore backups."),
    "edge": _CommandEntry(
        "edge",
        "Run the camera lab: cameras that charge when the grid is clean.",
    ),
    "bench": _CommandEntry("bench:run_benches", "Measure Luna and compare with targets and peers."),
}


DIAGNOSES = ("doctor", "support")
YES = "--yes"
_SERVER_OPTIONS = ("--server", "--key")

DISK_REMEDIES = {
    errno.ENOSPC: (
        "Free some space, or set LUNA_DATA_FOLDER (for temporary files TMPDIR) to a folder on "
        "another disk."
    ),
    errno.EDQUOT: (
        "Free some space in your quota, or set LUNA_DATA_FOLDER (for temporary files TMPDIR) "
        "to a folder on another disk."
    ),
    errno.EROFS: "Set LUNA_DATA_FOLDER to a folder that you may write.",
    errno.EACCES: "Set LUNA_DATA_FOLDER to a folder that you may write.",
}


def build(called: str | None = None) -> typer.Typer:
    """Build the application.

    Only the command ``called`` is imported, so that listing commands loads no solver and no model.
    """
    app = typer.Typer(
        name="luna",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="Luna: plans battery, car, heater and grid on your own machine.",
    )
    app.callback()(_name_server)
    for name, entry in COMMANDS.items():
        module, _, function = (entry.place or "").partition(":")
        if name != called:
            app.command(name, help=entry.summary)(_not_called)
        elif not module:
            from services.cli.declared import add_declared

            add_declared(app, name, entry.summary)
        elif function:
            app.command(name)(getattr(import_module(f"services.cli.{module}"), function))
        else:
            app.add_typer(import_module(f"services.cli.{module}").app, name=name)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exit 0 on success, 2 on bad input, 1 on failure, 130 on Ctrl-C."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = run(words)
        sys.stdout.flush()
    except LunaError as error:
        report(error, as_json=JSON_FLAG in words)
        # The cause tells a program that embeds the command line what was wrong.
        raise SystemExit(error.exit_code) from error
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 1
        # The reader of the pipe has closed it: discard buffered output, which would fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code.

    Raises:
        LunaError: of the command, or an error of this machine or the command line, translated.
    """
    words = _skip_leading_options(arguments)
    leading = arguments[: len(arguments) - len(words)]
    called = words[0] if words and words[0] in COMMANDS else None
    try:
        app = build(called)
        if called and "--help" not in arguments:
            names_server = any(word.partition("=")[0] in _SERVER_OPTIONS for word in leading)
            # A remote gateway offers only some commands.
            if names_server or os.environ.get("LUNA_SERVER"):
                require_over_http(words)
            _configure_logging(called)
        return _call(app, arguments, agreed=YES in leading)
    except typer.TyperException as error:
        fault = _translate_fault(error, arguments)
        if fault is None:
            return error.exit_code
        raise fault from error
    except BrokenPipeError:
        raise
    except (ImportError, OSError) as exc:
        raise describe_fault(exc) from exc


def _skip_leading_options(arguments: Sequence[str]) -> list[str]:
    """Return the command line from the command on, without the options before it."""
    words = list(arguments)
    while words:
        option, equals, _ = words[0].partition("=")
        if words[0] == YES:
            words = words[1:]
        elif option in _SERVER_OPTIONS:
            words = words[1:] if equals else words[2:]
        else:
            break
    return words


def _translate_fault(
    error: typer.TyperException, arguments: Sequence[str]
) -> InvalidInputError | None:
    """Return typer's error as Luna's, or None if typer has shown the help."""
    option = getattr(error, "option_name", None)
    if not option:
        parameter = getattr(error, "param", None)
        option = next(iter(getattr(parameter, "opts", ())), None)
    if option and error.message:
        message = str(error.message).rstrip(".")
    else:
        message = str(error.format_message()).rstrip(".")
    if not message:
        return None
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "luna"
    value = next((after for word, after in pairwise(arguments) if word == option), None)
    return InvalidInputError(message, field=option, value=value, remedy=f"See {command} --help.")


def _call(app: typer.Typer, arguments: Sequence[str], *, agreed: bool) -> int:
    """Run a command.

    One that lacks an addition is run again once somebody has agreed to install it.
    """
    while True:
        try:
            return int(app(arguments, standalone_mode=False) or 0)
        except LunaError as error:
            # Imported here, so that the help loads no models.
            from services.cli.extras import settle_missing

            if not settle_missing(error, agreed=agreed):
                raise


def _say_version(requested: bool) -> None:
    if requested:
        out.print(version("luna-energy"))
        raise typer.Exit


def _name_server(
    server: Annotated[
        str | None,
        typer.Option(
            envvar="LUNA_SERVER",
            help="Run the command on another Luna: https://luna.home:8080.",
        ),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="LUNA_KEY",
            help="That Luna's key, from luna key add; better set LUNA_KEY.",
        ),
    ] = None,
    *,
    _yes: Annotated[
        bool,
        typer.Option(YES, help="Install missing libraries without asking, for scripts."),
    ] = False,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_say_version,
            is_eager=True,
            help="Show Luna's version.",
        ),
    ] = False,
) -> None:
    name_server(None if server is None else RemoteServer(server, key))


def _not_called() -> None:
    """Stand for a command in the list of commands."""


def _configure_logging(command: str) -> None:
    from luna.platform.settings import load_settings
    from luna.platform.telemetry import configure_logging

    try:
        level = load_settings().log_level
    except LunaError:
        # Diagnostic commands report invalid settings themselves.
        if command not in DIAGNOSES:
            raise
        level = "INFO"
    configure_logging(command, level=level)


def describe_fault(exc: ImportError | OSError) -> Exception:
    """Translate an error of this machine to a MachineError.

    It is about a missing library, system library, disk space or permission. Other errors are
    returned unchanged.
    """
    if isinstance(exc, ModuleNotFoundError):
        library = (exc.name or "").partition(".")[0]
        if library in ("luna", "services"):
            return exc
        return MachineError(
            "a library is not installed",
            field=library,
            remedy='Install it: pip install "luna-energy[core]".',
        )
    file, missing, _ = str(exc).partition(": cannot open shared object file")
    if missing:
        return MachineError(
            "a system library is missing", field=file, remedy="Install the package that holds it."
        )
    if isinstance(exc, OSError) and exc.errno in DISK_REMEDIES:
        return MachineError(
            f"cannot be written: {exc.strerror}",
            field=exc.filename or "data_folder",
            remedy=DISK_REMEDIES[exc.errno],
        )
    return exc
