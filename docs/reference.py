"""``python -m docs.reference``: writes ``docs/guide/reference`` and the scripts' types.

They come from settings, commands, site model, gateway and tasks.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.libraries import list_libraries, list_scripts
from docs.messages import Schema, list_references, render_types
from luna.contracts.message import Request
from luna.contracts.tasks import REQUESTS
from luna.drivers.profile import DeviceProfile
from luna.energy.site import Site
from luna.platform.settings import Settings
from luna.platform.settings.model import Deployment

if TYPE_CHECKING:
    from services.api.operation import Operation

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "guide" / "reference"
SCRIPT_TYPES = ROOT / "services" / "api" / "frontend" / "src" / "gateway.d.ts"
_BOUNDS = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
_YAML_LINE = re.compile(r'^(?P<indent> *)(?P<dash>- )?(?:"?(?P<key>[\w]+)"?:)?(?P<rest>.*)$')

_TYPES = {
    str: "text",
    int: "integer",
    float: "number",
    Path: "path",
    datetime: "day",
    bool: "boolean",
}


def render() -> dict[str, str]:
    """Return each page of the reference by its file's name."""
    pages = {
        "settings.md": _settings(),
        "commands.md": _commands(),
        "site-file.md": _site_file(),
        "api.md": _api(),
        "tasks.md": _tasks(),
    }
    pages |= {
        "libraries.md": _libraries(),
        "operations.md": _operations(),
        "profile-file.md": _profile_file(),
    }
    pages |= {"agent-states.md": _agent_states()}
    return {
        name: re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"
        for name, lines in pages.items()
    }


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    SCRIPT_TYPES.write_text(render_script_types(), encoding="utf-8")


def render_script_types() -> str:
    """Return the gateway's messages as the pages' scripts know them."""
    return render_types(_describe_gateway()["components"]["schemas"])


def _describe_gateway() -> Schema:
    from services.api.app import create_app

    return create_app(Settings(_env_file=None)).openapi()


# ---- settings ------------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    yield from _head("Settings", "luna/platform/settings")
    yield from (
        (
            "Environment variables, or lines of a file `.env` in the folder in which Luna "
            "starts. Durations are ISO 8601, such as `PT30S` or `P90D`."
        ),
        "",
    )
    yield from (
        (
            "Each of the first table may stand in a file instead: "
            "`LUNA_DATABASE_URL_FILE=/run/secrets/url` names one for `LUNA_DATABASE_URL`."
        ),
        "",
    )
    yield from _table(
        ("variable", "meaning", "default"),
        (_setting(f"LUNA_{name.upper()}", field) for name, field in Settings.model_fields.items()),
    )
    yield from ("", "## Read by docker-compose.yml alone", "")
    yield from _table(
        ("variable", "meaning", "default"),
        (_setting(name.upper(), field) for name, field in Deployment.model_fields.items()),
    )


def _setting(variable: str, field: FieldInfo) -> tuple[str, ...]:
    model: type[BaseModel] = (
        Settings if variable.removeprefix("LUNA_").lower() in Settings.model_fields else Deployment
    )
    name = variable.removeprefix("LUNA_").lower() if model is Settings else variable.lower()
    properties = _schema_of(model)["properties"][name]
    default = properties.get("default")
    return (
        f"`{variable}`",
        f"{field.description}{_limits(properties)}",
        "" if default in (None, "") else f"`{_plain(default)}`",
    )


@cache
def _schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


# ---- commands ------------------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    from services.cli.main import COMMANDS, build

    yield from _head("Commands", "the command tree")
    yield from (
        "Exit codes: 0 done, 2 the input was wrong, 1 something failed, 130 stopped by Ctrl-C.",
        "",
    )
    yield from _table(
        ("command", "what it does"),
        ((f"[`luna {name}`](#luna-{name})", entry.summary) for name, entry in COMMANDS.items()),
    )
    for name in COMMANDS:
        group: Any = typer.main.get_command(build(name))
        yield from _command(f"luna {name}", group.commands[name], COMMANDS[name].summary)


def _command(path: str, command: Any, summary: str = "") -> Iterator[str]:
    yield from ("", f"{'##' if path.count(' ') == 1 else '###'} {path}", "")
    yield from (" ".join((command.help or summary).split()), "")
    for name, below in getattr(command, "commands", {}).items():
        yield from _command(f"{path} {name}", below)
    if not hasattr(command, "commands"):
        arguments = "".join(
            f" {_argument(parameter)}"
            for parameter in command.params
            if not parameter.opts[0].startswith("-")
        )
        has_options = any(parameter.opts[0].startswith("-") for parameter in command.params)
        options = " [OPTIONS]" if has_options else ""
        yield from (
            "```",
            f"{path}{arguments}{options}",
            "```",
            "",
        )
        yield from _table(
            ("argument, option", "value", "meaning", "default"),
            (_parameter(parameter) for parameter in command.params),
        )


def _argument(parameter: Any) -> str:
    name = parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _parameter(parameter: Any) -> tuple[str, ...]:
    name = parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.name.upper()
    default = getattr(parameter.default, "value", parameter.default)
    shown = (
        ""
        if default in (None, (), [], "") or callable(default) or _is_switch(parameter)
        else f"`{default}`"
    )
    names = ", ".join(f"`{each}`" for each in (name, *parameter.secondary_opts))
    value = "" if _is_switch(parameter) else _value(parameter)
    return names, value, parameter.help or "", "required" if parameter.required else shown


def _is_switch(parameter: Any) -> bool:
    return bool(getattr(parameter, "is_flag", False))


def _value(parameter: Any) -> str:
    annotation = _plain_type(parameter.type_descriptor.annotation)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(annotation))
    bounds = ", ".join(
        f"{sign} {_plain(bound)}"
        for sign, bound in (("≥", parameter.min), ("≤", parameter.max))
        if bound is not None
    )
    name = _TYPES.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())
    several = ", several" if parameter.multiple or parameter.nargs == -1 else ""
    return f"{name}{f' ({bounds})' if bounds else ''}{several}"


def _plain_type(annotation: Any) -> Any:
    """Return what is written once: the type within a list, or within one that may be left out."""
    if get_origin(annotation) in {list, UnionType, Union}:
        return _plain_type(next(each for each in get_args(annotation) if each is not NoneType))
    return annotation


# ---- site file -----------------------------------------------------------------------------------


def _site_file() -> Iterator[str]:
    schema = Site.model_json_schema(by_alias=True)
    comments = read_comments((ROOT / "config" / "site.yaml").read_text(encoding="utf-8"))
    yield from _head("Site file", "the model of a site and config/site.yaml")
    yield from (
        (
            "Powers in kW, energies in kWh, prices in currency per kWh; states of charge and "
            "efficiencies are shares between 0 and 1."
        ),
        "",
    )
    yield from (
        (
            "Unknown fields are refused by name. Each example is that of `config/site.yaml`, "
            "which `luna site add` takes."
        ),
        "",
    )
    yield from _part("site", schema, comments, path=())
    for name, path in _parts(schema).items():
        yield from _part(".".join(path), schema["$defs"][name], comments, path=path)


def _parts(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Return every kind of part with its first place, in the order of the file."""
    found: dict[str, tuple[str, ...]] = {}

    def visit(part: Schema, path: tuple[str, ...]) -> None:
        for key, field in part.get("properties", {}).items():
            for name in list_references(field):
                if name not in found:
                    found[name] = (*path, key)
                    visit(schema["$defs"][name], found[name])

    visit(schema, ())
    return found


def _part(
    title: str,
    part: Schema,
    comments: dict[tuple[str, ...], tuple[str, str]],
    *,
    path: tuple[str, ...],
) -> Iterator[str]:
    name = part.get("title", "")
    yield from ("", f"## {title}{f' ({name})' if path else ''}", "")
    if path and part.get("description"):
        yield from (" ".join(part["description"].split()), "")
    rows = (
        _field(key, field, part, comments.get((*path, key), ("", "")))
        for key, field in part["properties"].items()
    )
    yield from _table(("field", "value", "default", "example", "meaning"), rows)


def _field(key: str, field: Schema, part: Schema, comment: tuple[str, str]) -> tuple[str, ...]:
    example, words = comment
    default = "required" if key in part.get("required", []) else _default(field)
    meaning = words or field.get("description", "")
    return (
        f"`{key}`",
        f"{_kind(field)}{_limits(field)}",
        default,
        f"`{example}`" if example else "",
        re.sub(r";? ?default [^;]*$", "", meaning),
    )


def read_comments(text: str) -> dict[tuple[str, ...], tuple[str, str]]:
    """Return example and comment of each key of a YAML text, by the names that lead to it.

    Of several under one name the first.
    """
    found: dict[tuple[str, ...], tuple[str, str]] = {}
    above: list[tuple[int, str]] = []
    for match in filter(None, map(_YAML_LINE.match, text.splitlines())):
        if match["key"] is None:
            continue
        depth = len(match["indent"]) + len(match["dash"] or "")
        above = [each for each in above if each[0] < depth]
        value, _, comment = f" {match['rest']} ".partition(" # ")
        path = (*(name for _, name in above), match["key"])
        found.setdefault(path, (value.strip(), comment.strip()))
        above.append((depth, match["key"]))
    return found


# ---- profile file --------------------------------------------------------------------------------


def _profile_file() -> Iterator[str]:
    schema = DeviceProfile.model_json_schema(by_alias=True)
    yield from _head("Profile file", "luna/drivers/profile.py")
    yield (
        "What Luna knows of a product. Unknown fields are refused by name. A whole one, and "
        "how to try it: [a device of your own](../en/own-device.md)."
    )
    for name, part in ((schema["title"], schema), *schema["$defs"].items()):
        yield from _message(name, part)


# ---- gateway -------------------------------------------------------------------------------------


def _operations() -> Iterator[str]:
    from services.api.app import OPERATIONS

    yield from _head("Operations", "the gateway's operations")
    yield from ("How the gateway is asked: [resources](../../api.md).", "")
    asked = ("/v1/", "/health/", "/metrics")
    rows = [operation for operation in OPERATIONS if operation.path.startswith(asked)]
    heads = ("operation", "address", "scope", "command", "short paths")
    yield from _table(
        heads,
        (
            (
                f"`{row.name}`",
                _address(row.method, row.path),
                row.scope,
                _command_of(row),
                _short(row.aliases),
            )
            for row in rows
        ),
    )


def _address(method: str, path: str) -> str:
    return f"`{method} {path.replace(':path', '')}`"


def _command_of(row: "Operation") -> str:
    return f"`luna {row.command}`" if row.command else f"none: {row.alone}"


def _short(aliases: tuple[str, ...]) -> str:
    return ", ".join(f"`{path}`" for path in aliases)


def _api() -> Iterator[str]:
    document = _describe_gateway()
    yield from _head("HTTP", "the gateway's OpenAPI document")
    yield from (
        "The gateway itself shows the same under `/docs`, and the document under `/openapi.json`.",
        "",
    )
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(path, method, operation)
    yield from ("", "## Messages")
    for name, part in sorted(document["components"]["schemas"].items()):
        yield from _message(name, part)


def _operation(path: str, method: str, operation: Schema) -> Iterator[str]:
    yield from (
        "",
        f"## {method.upper()} {path}",
        "",
        f"{operation['summary']}. {' '.join(operation.get('description', '').split())}",
        "",
    )
    rows = [
        (f"`{each['name']}`", each["in"], _kind(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", [])
    ]
    rows += (
        [("body", "", _content(operation["requestBody"]), "")] if "requestBody" in operation else []
    )
    answers = [
        (status, answer)
        for status, answer in operation["responses"].items()
        if status not in ("422", "default")
    ]
    rows += [(f"answer {status}", "", _content(answer), "") for status, answer in answers]
    yield from _table(("name", "in", "value", "meaning"), rows)


def _content(part: Schema) -> str:
    return (
        " or ".join(
            _kind(content["schema"])
            for content in part.get("content", {}).values()
            if content.get("schema")
        )
        or "text"
    )


def _message(name: str, part: Schema) -> Iterator[str]:
    yield from ("", f"### {name}", "")
    if part.get("description"):
        yield from (_escape(" ".join(part["description"].split())), "")
    if "properties" not in part:
        yield _kind(part)
        return
    rows = (
        (
            f"`{key}`",
            f"{_kind(each)}{_limits(each)}",
            _needed(key, each, part),
            each.get("description", ""),
        )
        for key, each in part["properties"].items()
    )
    yield from _table(("field", "value", "default", "meaning"), rows)


def _needed(key: str, field: Schema, part: Schema) -> str:
    return "required" if key in part.get("required", []) else _default(field)


# ---- tasks ---------------------------------------------------------------------------------------


def _tasks() -> Iterator[str]:
    yield from _head("Tasks", "luna/contracts/tasks.py")
    yield from (
        (
            "What services do for each other and for the gateway. The part before the first "
            "dot names the service."
        ),
        "",
    )
    yield from (
        (
            "Some are asked for by the clock; an option of `python -m "
            "luna.platform.queue.beat` changes how often. Some may be sent as jobs, with `POST "
            "/v1/jobs`."
        ),
        "",
    )
    rows = sorted((_task(request) for request in REQUESTS), key=lambda row: row[0])
    yield from _table(("task", "what it does", "asked for every", "option", "as a job"), rows)


def _task(request: type[Request]) -> tuple[str, ...]:
    first = " ".join((request.__doc__ or "").partition("\n\n")[0].split()).replace("``", "`")
    schedule = request.schedule
    every = (
        ("", "")
        if schedule is None
        else (_duration(schedule.every), f"`--{schedule.option}-seconds`")
    )
    return f"`{request.task}`", first, *every, "yes" if request.public else ""


def _duration(every: timedelta) -> str:
    hours, minutes = divmod(every // timedelta(minutes=1), 60)
    return " ".join(
        f"{count} {unit}{'s' if count > 1 else ''}"
        for count, unit in ((hours, "hour"), (minutes, "minute"))
        if count
    )


# ---- states of the agent -------------------------------------------------------------------------


def _agent_states() -> Iterator[str]:
    from services.agent.environment.states import LAYOUTS

    yield from _head("States of the agent", "services/agent/environment/states.py")
    yield from (
        (
            "What each number of a state is, by the version of its layout: [what a model may "
            "rely on](../../model-contracts.md#states)."
        ),
        "",
    )
    yield from _table(
        ("version", "index", "feature"),
        ((version, *row) for version, layout in LAYOUTS.items() for row in _features(layout.names)),
    )


def _features(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Return the places of each feature with its name, those of a vector over the hours as one."""
    series = [re.sub(r"_ahead_\d\dh$", "_ahead", name) for name in names]
    for name, places in groupby(range(len(series)), key=series.__getitem__):
        first, *more = places
        yield f"{first}–{more[-1]}" if more else str(first), name


# ---- libraries -----------------------------------------------------------------------------------


def _libraries() -> Iterator[str]:
    yield from _head("Libraries", "locks/core.txt")
    yield from (
        (
            "What Luna brings along on Linux, with the licence that each names. `make release` "
            "writes the same as a list of parts (CycloneDX)."
        ),
        "",
    )
    yield from _table(("library", "version", "licence"), list_libraries())
    yield from ("", "## In the pages", "")
    yield from _table(("library", "version", "licence"), list_scripts())


# ---- words of a schema ---------------------------------------------------------------------------


def _kind(field: Schema) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"`{name}`"
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if choices := field.get("anyOf") or field.get("oneOf") or field.get("allOf"):
        return " or ".join(
            dict.fromkeys(_kind(each) for each in choices if each.get("type") != "null")
        )
    if field.get("type") == "array":
        return f"list of {_kind(field['items'])}" if field.get("items") else "list"
    if isinstance(field.get("additionalProperties"), dict):
        return f"by name: {_kind(field['additionalProperties'])}"
    return str(
        field.get("format")
        or {"string": "text", "object": "object"}.get(
            field.get("type", ""), field.get("type", "any")
        )
    )


def _limits(field: Schema) -> str:
    # Of a field that may be left empty the bounds stand one level below.
    inner = next((each for each in field.get("anyOf", []) if each.get("type") != "null"), field)
    bounds = [f"{sign} {_plain(inner[key])}" for key, sign in _BOUNDS.items() if key in inner]
    return f" ({', '.join(bounds)})" if bounds else ""


def _default(field: Schema) -> str:
    default = field.get("default")
    return "" if default in (None, "", []) or isinstance(default, dict) else f"`{_plain(default)}`"


def _plain(value: Any) -> str:
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False)
    return f"{value:g}" if isinstance(value, float) and value < 1e6 else str(value)


def _head(title: str, source: str) -> tuple[str, ...]:
    return f"# {title}", "", f"<!-- Made from {source} by `make reference`; edits are lost. -->", ""


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    body = [f"| {' | '.join(_escape(cell) for cell in row)} |" for row in rows]
    if body:
        yield from (f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *body)


def _escape(cell: str) -> str:
    # A pipe ends a cell; an angle or square bracket outside of code is taken for a tag or a link.
    plain = re.sub(r"(?<!\\)\|", r"\\|", " ".join(str(cell).split()))
    pieces = re.split(r"(`[^`]*`|\[`[^`]*`\]\([^)]*\))", plain)
    return "".join(
        piece if number % 2 else piece.replace("<", "&lt;").replace("*", "\\*")
        for number, piece in enumerate(pieces)
    )


if __name__ == "__main__":
    main()
