"""Whatever a site's file may say is read by somebody: a field that is offered and heeded by nobody
is worse than none.

What is read is told by names: of a field that shares its name with something else, the other one's
readers count as well.
"""

import ast
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
def read_code() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Return by name the modules that read an attribute of it, and those that name it in a text.

    Checks of a site are left out.
    """
    attributes: dict[str, set[str]] = {}
    texts: dict[str, set[str]] = {}
    for module, text in read_sources("luna", "services").items():
        for node in _walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                attributes.setdefault(node.attr, set()).add(module)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.setdefault(node.value, set()).add(module)
    return attributes, texts


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
    attributes, _ = read_code()
    fields = {
        f"{name}.{field}": field
        for name, model in models_of(Site).items()
        if model is not InputSensors
        for field in model.model_fields
    }
    assert len(fields) > 100
    # Whoever goes through all kinds reads each by its section.
    attributes |= dict.fromkeys((kind.section for kind in DEVICE_KINDS), attributes["section"])
    assert [field for field, name in fields.items() if name not in attributes] == []


@pytest.mark.parametrize("role", SENSOR_ROLES)
def test_what_the_sensors_of_a_role_say_is_read(role: str) -> None:
    attributes, texts = read_code()
    series = SENSOR_ROLES[role].series
    if series is None:
        assert attributes.get(role), f"{role} is recorded and read by nobody"
    else:
        used = {
            module
            for module in attributes.get(series, set()) | texts.get(series, set())
            if not module.startswith(("luna/energy/site/", "luna/platform/database/schema/"))
        }
        assert {module for module in used if not module.startswith("services/ingest/")}, (
            f"{series} is built and read by nobody"
        )
