"""Whatever a site's file may say is read by somebody: a field that is offered and heeded by nobody
is worse than none.

What is read is told by names: of a field that shares its name with something else, the other one's
readers count as well.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from luna.energy.devices import DEVICE_KINDS
from luna.energy.site import SENSOR_ROLES, InputSensors, Site
from tests.support.documentation.sources import read_sources

# What checks that a field makes sense does not heed it.
CHECKS = {"model_validator", "field_validator"}
# They make series, and read none.
MAKE_SERIES = ("luna/energy/site/", "luna/platform/database/schema/", "services/ingest/")


def models_of(
    model: type[BaseModel], found: dict[str, type[BaseModel]] | None = None
) -> dict[str, type[BaseModel]]:
    """Return a model and those of which it is made, by name."""
    found = {} if found is None else found
    if model.__name__ not in found:
        found[model.__name__] = model
        for field in model.model_fields.values():
            for part in _parts(field.annotation):
                models_of(part, found)
    return found


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


@cache
def read_module(module: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the attributes that a module reads, and its texts, but for checks of a site."""
    attributes = set()
    texts = set()
    for node in _walk(ast.parse(read_sources("luna", "services")[module])):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            attributes.add(node.attr)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    return frozenset(attributes), frozenset(texts)


@cache
def names_after_dots(module: str) -> frozenset[str]:
    return frozenset(re.findall(r"\.\s*([a-z]\w*)", read_sources("luna", "services")[module]))


def find_users(name: str, *, in_texts: bool = False) -> Iterator[str]:
    """Yield the modules that read an attribute of a name, or also have it as a text."""
    for module, text in read_sources("luna", "services").items():
        # Most modules need not be parsed to know that they do not.
        if name in names_after_dots(module) or (in_texts and name in text):
            attributes, texts = read_module(module)
            if name in attributes or (in_texts and name in texts):
                yield module


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, without those of functions that check a site."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        decorators = getattr(node, "decorator_list", ())
        names = {
            part.id
            for decorator in decorators
            for part in ast.walk(decorator)
            if isinstance(part, ast.Name)
        }
        if not names & CHECKS:
            yield node
            waiting.extend(ast.iter_child_nodes(node))


def test_every_field_of_a_site_is_read() -> None:
    fields = {
        f"{name}.{field}": field
        for name, model in models_of(Site).items()
        if model is not InputSensors
        for field in model.model_fields
    }
    assert len(fields) > 100
    # Whoever goes through all kinds reads each by its section.
    assert any(find_users("section"))
    sections = {kind.section for kind in DEVICE_KINDS}
    # Fields of many models share a name.
    unread = {name for name in {*fields.values()} - sections if not any(find_users(name))}
    assert [field for field, name in fields.items() if name in unread] == []


@pytest.mark.parametrize("role", SENSOR_ROLES)
def test_what_the_sensors_of_a_role_say_is_read(role: str) -> None:
    series = SENSOR_ROLES[role].series
    if series is None:
        assert any(find_users(role, in_texts=True)), f"{role} is recorded and read by nobody"
    else:
        used = (
            module
            for module in find_users(series, in_texts=True)
            if not module.startswith(MAKE_SERIES)
        )
        assert any(used), f"{series} is built and read by nobody"
