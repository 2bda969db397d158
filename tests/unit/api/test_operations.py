"""The table of operations is what the gateway answers, and what it says of itself."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from luna.platform.settings import Settings
from services.api.app import PAGES, ROUTERS, create_app
from services.api.operations import OLDER, OPERATIONS, addresses
from tests.tables import each_row

DOCUMENT = create_app(Settings()).openapi()
TABLE = {(operation.method, path): operation for operation in OPERATIONS for path in addresses(operation)}
# Where programs ask; the rest are short paths and what people see.
DOCUMENTED = ("/v1/", "/health/", "/metrics")
DESCRIBED = [(method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()]


def routes() -> Iterator[APIRoute]:
    for router in (*ROUTERS, *PAGES):
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def answered() -> set[tuple[str, str]]:
    return {(method, plain(route.path)) for route in routes() for method in route.methods or ()}


def test_every_route_is_an_operation_of_the_table() -> None:
    assert answered() <= {(method, plain(path)) for method, path in TABLE}


def test_every_operation_has_its_routes() -> None:
    assert {(method, plain(path)) for method, path in TABLE} <= answered()


def test_every_documented_path_is_that_of_the_table_under_its_name() -> None:
    rows = {
        (operation.method, operation.path.replace(":path", ""), operation.name)
        for operation in OPERATIONS
        if operation.path.startswith(DOCUMENTED) and operation not in OLDER
    }
    described = {(method.upper(), path, operation["operationId"]) for method, path, operation in DESCRIBED}
    assert described == rows


def test_no_name_of_an_operation_stands_twice() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_pages_are_no_operations() -> None:
    assert not [route for router in PAGES for route in router.routes if isinstance(route, APIRoute) and route.include_in_schema]


@each_row("operation", [pytest.param(operation, id=operation["operationId"]) for *_, operation in DESCRIBED if "204" not in operation["responses"]])
def test_every_operation_shows_an_example(operation: dict[str, Any]) -> None:
    contents = [content for part in (operation.get("requestBody", {}), *operation["responses"].values()) for content in part.get("content", {}).values()]
    assert [part for part in (*contents, *operation.get("parameters", [])) if "example" in part]


@each_row("name", DOCUMENT["components"]["schemas"])
def test_every_field_of_a_message_is_described(name: str) -> None:
    fields = DOCUMENT["components"]["schemas"][name].get("properties", {})
    assert [field for field, schema in fields.items() if not schema.get("description")] == []


def test_every_parameter_is_described() -> None:
    assert [parameter["name"] for *_, operation in DESCRIBED for parameter in operation.get("parameters", []) if not parameter.get("description")] == []
