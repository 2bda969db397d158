"""The shape of documents: their names and types, without their values and without what classes in
the code are called.
"""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
# What follows from a property's name or a class's.
_UNSAID = (
    "title",
    "$defs",
    "properties",
    "items",
    "anyOf",
    "oneOf",
    "allOf",
    "prefixItems",
    "additionalProperties",
    "required",
    "discriminator",
    "description",
)


def list_fields(schema: Document) -> list[str]:
    """Return a line for each field of a JSON schema, in the order they are written: path, bounds,
    default; ``*`` marks what is required.
    """
    return list(_walk(schema, schema.get("$defs", {}), "", ()))


def _walk(schema: Document, known: Document, path: str, within: tuple[str, ...]) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name in within:
            yield f"{path}: as above"
            return
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        yield from _walk(known[name] | beside, known, path, (*within, name))
        return
    told = ", ".join(
        f"{name} {value!r}" for name, value in sorted(schema.items()) if name not in _UNSAID
    )
    kinds = [name for name in ("anyOf", "oneOf", "allOf") if name in schema]
    if told or not kinds:
        yield f"{path or '.'}: {told}"
    for name, part in schema.get("properties", {}).items():
        star = "*" if name in schema.get("required", ()) else ""
        yield from _walk(part, known, f"{path}.{name}{star}" if path else f"{name}{star}", within)
    for name, kind in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(name), dict):
            yield from _walk(schema[name], known, path + kind, within)
    for kind in ("prefixItems", *kinds):
        for number, part in enumerate(schema.get(kind, ())):
            yield from _walk(part, known, f"{path}<{number}>", within)


def list_own_fields(schema: Document) -> list[str]:
    """Return name and type of each field of a message, not of those within; ``*``: required."""
    fields = schema.get("properties", {})
    stars = dict.fromkeys(schema.get("required", ()), "*")
    return [f"{name}{stars.get(name, '')}: {_describe_type(each)}" for name, each in fields.items()]


def _describe_type(schema: Document) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return " | ".join(map(str, values))
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(map(_describe_type, choices))
    items = schema.get("items", schema.get("additionalProperties"))
    name = str(schema.get("format") or schema.get("type", "any"))
    return f"{name} of {_describe_type(items)}" if isinstance(items, dict) else name


def describe_shape(value: Any) -> Any:
    """Return a document with types in place of values.

    Of a list its length and the shape of its first part.
    """
    if isinstance(value, dict):
        return {name: describe_shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return {f"list of {len(value)}": describe_shape(value[0])} if value else "list of none"
    names = {bool: "boolean", int: "integer", float: "number", str: "text", type(None): "null"}
    return names[type(value)]
