"""What Luna shows to the outside, collected from the code: the one place where recordings know modules and names within Luna.

Whoever moves or renames something follows here with an import; what is collected stays the same.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer.main import get_command

from luna.contracts.plan import PlanRequest
from luna.settings import Settings
from luna.timeline import parse_instant
from services.api.app import create_app
from services.cli.console import err, out
from services.cli.main import COMMANDS, build
from services.planner.answer.reply import plan_request
from services.planner.model.solver import Solver
from tests.recorded import differences

Document = dict[str, Any]
CONSOLES = (out, err)
# What is another at each run, and what depends on the machine's speed.
_PASSING = ("timing_ms", "issued_at")


def openapi() -> Document:
    """Return the gateway's description of its routes and messages."""
    return create_app(Settings()).openapi()


def plan(document: Document) -> Document:
    """Return the reply to a plan request in English, and what is other in German."""
    english, german = (_reply(document, language) for language in ("en", "de"))
    return {"en": english, "other_in_de": differences(english, german)}


def _reply(document: Document, language: str) -> Document:
    options = document.get("options", {}) | {"language": language}
    request = PlanRequest.model_validate(document | {"options": options})
    reply = plan_request(request, now=parse_instant("2024-01-01T00:00:00Z", field=""), solver=Solver())
    told: Document = read_output(reply.model_dump_json(by_alias=True))
    return told


def read_output(text: str) -> Any:
    """Return what a command wrote: its JSON document without what is another at each run, else its lines."""
    if not text.startswith(("{", "[")):
        return [line.rstrip() for line in text.splitlines()]
    return _drop_passing(json.loads(text))


def _drop_passing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _drop_passing(each) for name, each in value.items() if name not in _PASSING}
    return [_drop_passing(each) for each in value] if isinstance(value, list) else value


def commands() -> Document:
    """Return every command with its help, arguments and options."""
    listed = get_command(build())
    found: Document = {"luna": {"help": listed.help, "commands": {name: entry.summary for name, entry in COMMANDS.items()}}}
    for name in COMMANDS:
        found |= _describe(getattr(get_command(build(name)), "commands")[name], f"luna {name}")  # noqa: B009 - of groups alone
    return found


def _describe(command: Any, path: str) -> Document:
    parameters = {", ".join(each.opts): _describe_parameter(each) for each in command.params}
    found = {path: {"help": command.help, "arguments": [name for name in parameters if not name.startswith("-")], "parameters": parameters}}
    for name, inner in getattr(command, "commands", {}).items():
        found |= _describe(inner, f"{path} {name}")
    return found


def _describe_parameter(parameter: Any) -> Document:
    fields = ("secondary_opts", "required", "nargs", "multiple", "envvar", "metavar", "min", "max", "help")
    told = {name: value for name in fields if (value := getattr(parameter, name, None)) not in (None, False, [], 1)}
    default = parameter.default
    plain = default is None or isinstance(default, str | int | float | list | tuple)
    return told | {"takes": _describe_type(parameter.type_descriptor.annotation), "default": default if plain else str(default)}


def _describe_type(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, get_args(annotation)))
    return {str: "text", int: "integer", float: "number", bool: "flag", Path: "path", datetime: "instant"}.get(annotation, str(annotation))
