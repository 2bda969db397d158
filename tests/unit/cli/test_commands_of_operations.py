"""The command line and the gateway do the same: operations name every command, and every command
they name is there.
"""

from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from services.api.app import OPERATIONS
from services.api.operation import Operation
from services.cli.main import COMMANDS, build
from tests.support.suite.tables import each_row

# Commands that no route does, each with the reason.
COMMANDS_ALONE = {
    "demo": "starts servers and a worker of its own",
    "up": "starts the gateway itself",
    "db": "runs before there is a gateway",
    "agent compare": "reads what GET /v1/sites/{site_id}/agent/scores reads, of any two policies",
    "backup": "keeps and restores the servers that the gateway needs",
    "import": "reads a file with passwords on this machine; set-up's page does it over HTTP",
    "doctor": "looks for what is wrong also where no gateway runs",
    "open": "lets in who may read this machine's files, and nobody over HTTP",
    "support": "packs what a person hands on, also where no gateway runs",
    "devices": "asks and simulates devices from the machine where it runs",
    "edge": "reads and writes files where it runs; POST /v1/jobs leaves the same stages to workers",
    "bench": "measures the machine it runs on",
    "rag evaluate": "measures the machine it runs on",
    "control override": "is control override-device for all batteries",
    "control run": "is a process, not a question",
    "extras remove": "is extras add with another wish",
    "data guess": "reads a file where it runs; the page Data takes one and shows the same",
    "data readings": "is data query of a sensor's series, in the forms that readings have",
    "forecast plot": "draws to the terminal; the page draws what the routes return",
}


def list_commands() -> Iterator[tuple[str, frozenset[str]]]:
    """Yield every command with its options."""
    for name in COMMANDS:
        yield from _below(name, get_command(build(name)).commands[name])  # type: ignore[attr-defined]


def _below(path: str, command: object) -> Iterator[tuple[str, frozenset[str]]]:
    yield (
        path,
        frozenset(
            option for parameter in getattr(command, "params", ()) for option in parameter.opts
        ),
    )
    for name, sub in getattr(command, "commands", {}).items():
        yield from _below(f"{path} {name}", sub)


KNOWN = dict(list_commands())
GROUPS = {path for path in KNOWN if any(other.startswith(f"{path} ") for other in KNOWN)}
LEAVES = sorted(set(KNOWN) - GROUPS)
NAMED = [operation for operation in OPERATIONS if operation.command is not None]
# Commands that come with who may call.
AWAITED = {
    "user add",
    "user list",
    "user change",
    "user remove",
    "user password",
    "key list",
    "key add",
    "key remove",
    "audit list",
}


@each_row("operation", NAMED, ids=[operation.name for operation in NAMED])
def test_every_operation_names_a_command_that_is_there(operation: Operation) -> None:
    path, *options = str(operation.command).split(" --")
    assert path in {*LEAVES, *AWAITED}
    assert {f"--{option}" for option in options} <= KNOWN.get(path, frozenset())


def test_every_operation_has_a_command_or_says_why_not() -> None:
    assert [
        operation.name
        for operation in OPERATIONS
        if (operation.command is None) == (operation.alone is None)
    ] == []


def test_every_command_is_an_operations_or_says_why_not() -> None:
    named = {str(operation.command).split(" --")[0] for operation in NAMED}
    alone = [
        path
        for path in LEAVES
        if path in COMMANDS_ALONE or path.partition(" ")[0] in COMMANDS_ALONE
    ]
    assert [path for path in LEAVES if path not in named and path not in alone] == []


def test_what_stands_alone_is_there_and_no_operations() -> None:
    assert set(COMMANDS_ALONE) <= set(KNOWN)
    assert set(COMMANDS_ALONE).isdisjoint({operation.command for operation in NAMED})


def test_every_command_and_every_option_has_help() -> None:
    # Which ones there are stands in docs/guide/reference/commands.md, which a test compares.
    texts = [text for name in COMMANDS for text in _list_help(name, _find_command(name))]
    assert [name for name, text in texts if not (text or "").strip()] == []


def _find_command(name: str) -> Any:
    group: Any = get_command(build(name))
    return group.commands[name]


def _list_help(path: str, command: Any) -> Iterator[tuple[str, str | None]]:
    yield path, command.help
    for parameter in command.params:
        yield f"{path} {parameter.opts[0]}", parameter.help
    for name, below in getattr(command, "commands", {}).items():
        yield from _list_help(f"{path} {name}", below)


# A local day that is included; an instant that is not, or that says itself what it is.
INCLUDED = ("day, included", "time is included", "itself included", "this day or before")
AFTER = ("not included", "instant after the last", "before this instant", "Departure")


def _list_ends(path: str, command: object) -> Iterator[tuple[str, str]]:
    yield from (
        (path, parameter.help)
        for parameter in getattr(command, "params", ())
        if "--to" in parameter.opts
    )
    for name, sub in getattr(command, "commands", {}).items():
        yield from _list_ends(f"{path} {name}".strip(), sub)


def test_the_help_of_every_end_says_whether_it_is_included() -> None:
    ends = dict(
        end
        for name in COMMANDS
        for end in _list_ends(name, get_command(build(name)).commands[name])
    )  # type: ignore[attr-defined]
    assert {
        path: said
        for path, said in ends.items()
        if not any(word in said for word in (*INCLUDED, *AFTER))
    } == {}
    included = {
        path
        for path, said in ends.items()
        if path.startswith("data ") and any(word in said for word in INCLUDED)
    }
    assert included == {"data quality", "data repair", "data verdicts", "data verify"}
