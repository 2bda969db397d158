"""Every operation is declared once, and the gateway describes itself by them."""

import re
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI

from luna.platform.settings import Settings
from services.api.app import OPERATIONS, PAGES, ROUTES, create_app
from services.api.routes.documentation import render_documentation
from tests.support.suite.tables import each_row

# Where programs ask; the rest are short paths and what people see.
DOCUMENTED = ("/v1/", "/health/", "/metrics")

Described = tuple[str, str, dict[str, Any]]


@cache
def read_app() -> FastAPI:
    return create_app(Settings())


def read_document() -> dict[str, Any]:
    return read_app().openapi()


def list_described() -> list[Described]:
    return [
        (method, path, operation)
        for path, methods in read_document()["paths"].items()
        for method, operation in methods.items()
    ]


def list_answered() -> list[Any]:
    return [
        pytest.param(operation, id=operation["operationId"])
        for *_, operation in list_described()
        if "204" not in operation["responses"]
    ]


def list_messages() -> list[str]:
    return list(read_document()["components"]["schemas"])


def test_no_address_stands_twice() -> None:
    addresses = [
        (operation.method, re.sub(r"\{[^}]*\}", "{}", path))
        for operation in OPERATIONS
        for path in operation.addresses
    ]
    assert [address for address in addresses if addresses.count(address) > 1] == []
    assert len(addresses) == len(ROUTES)


def test_a_path_with_a_word_goes_before_one_that_takes_any() -> None:
    paths = [route.path for route in PAGES]
    assert paths.index("/ui/admin/people") < paths.index("/ui/admin/{section}")
    assert paths.index("/ui/setup/{draft_id}/find") < paths.index("/ui/setup/{draft_id}/{step}")


def test_every_documented_path_is_that_of_its_operation() -> None:
    rows = {
        (operation.method, operation.path.replace(":path", ""), operation.name)
        for operation in OPERATIONS
        if operation.path.startswith(DOCUMENTED)
    }
    described = {
        (method.upper(), path, operation["operationId"])
        for method, path, operation in list_described()
    }
    assert described == rows


def test_no_name_of_an_operation_stands_twice() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


def test_pages_are_no_operations() -> None:
    assert [route.path for route in PAGES if route.include_in_schema] == []


@each_row("operation", list_answered)
def test_every_operation_shows_an_example(operation: dict[str, Any]) -> None:
    contents = [
        content
        for part in (operation.get("requestBody", {}), *operation["responses"].values())
        for content in part.get("content", {}).values()
    ]
    assert [part for part in (*contents, *operation.get("parameters", [])) if "example" in part]


def test_every_group_is_described_and_every_operation_in_one() -> None:
    described = [group["name"] for group in read_document()["tags"]]
    used = {tag for *_, operation in list_described() for tag in operation["tags"]}
    assert used == set(described)


def test_every_operation_names_its_credentials() -> None:
    schemes = read_document()["components"]["securitySchemes"]
    needed = {operation["operationId"]: operation["security"] for *_, operation in list_described()}
    assert {scheme for security in needed.values() for each in security for scheme in each} == set(
        schemes
    )
    assert needed["sign_in"] == []
    assert needed["create_site"] == [{"bearer": ["configure"]}]


@each_row("operation", list_answered)
def test_every_operation_shows_a_request_with_its_body(operation: dict[str, Any]) -> None:
    [sample] = operation["x-codeSamples"]
    assert sample["source"].startswith("curl ")
    contents = operation.get("requestBody", {}).get("content", {}).values()
    assert [content for content in contents if "example" not in content] == []


def test_the_page_groups_operations_and_shows_requests_and_bodies() -> None:
    page, _ = render_documentation(read_app())
    assert (
        page.index('id="group-sites"')
        < page.index('id="create_site"')
        < page.index('id="group-plans"')
    )
    assert "Authorization: Bearer" in page
    assert "Example of a body" in page


@each_row("name", list_messages)
def test_every_field_of_a_message_is_described(name: str) -> None:
    fields = read_document()["components"]["schemas"][name].get("properties", {})
    assert [field for field, schema in fields.items() if not schema.get("description")] == []


def test_every_parameter_is_described() -> None:
    parameters = [
        parameter
        for *_, operation in list_described()
        for parameter in operation.get("parameters", [])
    ]
    assert [parameter["name"] for parameter in parameters if not parameter.get("description")] == []


def test_the_page_about_all_of_it_is_rendered_once() -> None:
    page, _ = render_documentation(read_app())
    assert all(f'id="{name}"' in page for name in list_messages())
    assert render_documentation(read_app())[0] is page
