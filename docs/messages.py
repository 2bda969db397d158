"""Messages of the gateway, and those of the pages' scripts as types.

The types are in ``services/api/frontend/src/gateway.d.ts``.
"""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_HEAD = (
    "// Messages of the gateway, made from its OpenAPI document by `make reference`; edits are "
    "lost."
)
COLUMNS = 100
# What scripts send and read; what these are made of comes along.
ROOTS = ("Answer", "Question", "Timelines")
_TYPES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def render_types(messages: dict[str, Schema]) -> str:
    """Return the messages of the scripts as TypeScript."""
    named = set[str]()
    waiting = list(ROOTS)
    while waiting:
        name = waiting.pop()
        if name not in named:
            named.add(name)
            waiting += list_references(messages[name])
    return "\n".join(
        (
            _HEAD,
            *(line for name in sorted(named) for line in _render_message(name, messages[name])),
            "",
        )
    )


def list_references(schema: Any) -> list[str]:
    """Return the names of the messages that a part of a schema names."""
    if isinstance(schema, dict):
        own = [schema["$ref"].rpartition("/")[2]] if "$ref" in schema else []
        return own + [
            name
            for key, below in schema.items()
            if key != "discriminator"
            for name in list_references(below)
        ]
    return (
        [name for each in schema for name in list_references(each)]
        if isinstance(schema, list)
        else []
    )


def _render_message(name: str, schema: Schema) -> Iterator[str]:
    if "properties" not in schema:
        yield from ("", f"export type {name} = {_type(schema)};")
        return
    needed = schema.get("required", [])
    yield from ("", f"export interface {name} {{")
    for field, each in schema["properties"].items():
        mark = "" if field in needed else "?"
        yield from textwrap.wrap(
            f"{field}{mark}: {_type(each)};",
            width=COLUMNS,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    yield "}"


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(_type(each) for each in choices))
    if schema.get("type") == "array":
        return f"Array<{_type(schema.get('items', {}))}>"
    if schema.get("type") == "object":
        below = schema.get("additionalProperties")
        return f"Record<string, {_type(below) if isinstance(below, dict) else 'unknown'}>"
    return _TYPES.get(schema.get("type", ""), "unknown")
