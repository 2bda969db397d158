"""The table of operations is what the gateway answers, and what it says of itself."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from luna.settings import Settings
from services.api.app import PAGES, ROUTERS, create_app
from services.api.operations import OPERATIONS, addresses
from services.api.routes import documentation

DOCUMENT = create_app(Settings()).openapi()
TABLE = {(operation.method, path): operation for operation in OPERATIONS for path in addresses(operation)}
# Operations of the table whose routes are on their way.
AWAITED = {"watch_job", "list_sessions", "add_session", "remove_session"}
DESCRIBED = [(method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()]


def routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        if router is not documentation.router:
            yield from (route for route in router.routes if isinstance(route, APIRoute))


def test_every_route_is_an_operation_of_the_table() -> None:
    named = {operation.name for operation in OPERATIONS}
    assert {route.operation_id for route in routes()} <= named


def test_every_operation_has_its_routes() -> None:
    answered = {(method, route.path) for route in routes() for method in route.methods}
    awaited = {where for where, operation in TABLE.items() if operation.name in AWAITED}
    assert set(TABLE) - answered <= awaited


def test_every_documented_path_is_that_of_the_table_under_its_name() -> None:
    rows = {(operation.method, operation.path.replace(":path", ""), operation.name) for operation in OPERATIONS if operation.name not in AWAITED}
    described = {(method.upper(), path, operation["operationId"]) for method, path, operation in DESCRIBED}
    assert described <= rows | {row for row in described if row[2] in AWAITED}
    assert rows <= described


def test_no_name_of_an_operation_stands_twice() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_pages_are_no_operations() -> None:
    assert not [route for router in PAGES for route in router.routes if isinstance(route, APIRoute) and route.include_in_schema]


@pytest.mark.parametrize(("method", "path", "operation"), DESCRIBED, ids=[operation["operationId"] for *_, operation in DESCRIBED])
def test_every_operation_shows_an_example(method: str, path: str, operation: dict[str, Any]) -> None:
    contents = [content for part in (operation.get("requestBody", {}), *operation["responses"].values()) for content in part.get("content", {}).values()]
    shown = [part for part in (*contents, *operation.get("parameters", [])) if "example" in part]
    assert shown, f"{method} {path}"
