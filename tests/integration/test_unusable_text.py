"""A NUL or half a character in any text that a request carries is refused as a value of its field,
before anything reads it.
"""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from fastapi.params import Form

from luna.platform.embedded.supervisor import Addresses
from luna.platform.settings import Settings
from services.api.app import create_app, describe_routes
from services.api.json_body import CheckedRoute
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def list_operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method.upper(), path, operation)
        for path, methods in describe_routes()["paths"].items()
        for method, operation in methods.items()
    ]


def list_texts(document: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the places of the texts of a document; of a list's items those of the first."""
    if isinstance(document, str):
        yield place
    parts = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document[:1])
        if isinstance(document, list)
        else ()
    )
    for name, part in parts:
        yield from list_texts(part, (*place, name))


def put(document: Any, place: tuple[Any, ...], value: str) -> Any:
    """Return a copy of a document with another value at a place."""
    if not place:
        return value
    changed = copy.deepcopy(document)
    part = changed
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    return changed


def fill(path: str) -> str:
    return re.sub(r"\{.*?\}", "1", path)


def test_every_text_of_every_body_is_checked(api: httpx.Client) -> None:
    wrong = []
    seen = 0
    for method, path, operation in list_operations():
        body = operation.get("requestBody", {}).get("content", {}).get("application/json")
        for place in list_texts(body["example"]) if body else ():
            # Both in turn: each of them everywhere would take twice as long.
            text = ("a\x00b", "\ud800")[seen % 2]
            content = json.dumps(put(body["example"], place, text))
            answer = api.request(
                method, fill(path), content=content, headers={"content-type": "application/json"}
            )
            problem = answer.json()
            seen += 1
            expected = (422, "text-unusable", ".".join(map(str, place)))
            if (answer.status_code, problem.get("reason"), problem.get("field")) != expected:
                wrong.append((method, path, place, answer.text[:200]))
    assert wrong == []
    assert seen > 100


def test_every_parameter_of_every_address_is_checked(api: httpx.Client) -> None:
    wrong = []
    for method, path, operation in list_operations():
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] == "header":
                continue
            address = fill(path)
            if parameter["in"] == "path":
                address = fill(path.replace(f"{{{name}}}", "a%00b"))
            query = {name: "a\x00b"} if parameter["in"] == "query" else {}
            answer = api.request(method, address, params=query)
            problem = answer.json()
            if (answer.status_code, problem.get("reason"), problem.get("field")) != (
                422,
                "text-unusable",
                name,
            ):
                wrong.append((method, path, name, answer.text[:200]))
    assert wrong == []


def list_forms() -> list[tuple[str, str, list[str]]]:
    """Return method, path and field names of each route that takes a form."""
    app = create_app(
        Settings(),
        Addresses(
            database_url="postgresql+psycopg://luna@127.0.0.1:9/luna",
            redis_url="redis://127.0.0.1:9/0",
        ),
    )
    routes = [route for route in app.routes if isinstance(route, CheckedRoute)]
    forms: list[tuple[str, str, list[str]]] = []
    for route in routes:
        if route.body_field is None or not isinstance(route.body_field.field_info, Form):
            continue
        names = [name for field in route.dependant.body_params for name in list_names(field)]
        forms.append((route.operation.method, route.path, names))
    return forms


def list_names(field: Any) -> list[str]:
    model = field.field_info.annotation
    declared = getattr(model, "model_fields", None)
    return (
        [field.alias]
        if declared is None
        else [info.alias or name for name, info in declared.items()]
    )


def test_every_field_of_every_form_is_checked(api: httpx.Client) -> None:
    wrong = []
    forms = list_forms()
    for method, path, names in forms:
        for name in names:
            answer = api.request(method, fill(path), data={name: "a\x00b"})
            if answer.status_code != 422:
                wrong.append((method, path, name, answer.status_code))
    assert wrong == []
    assert len(forms) > 20


def test_a_form_of_free_fields_is_checked(api: httpx.Client) -> None:
    answer = api.post("/ui/sites/home/data/quarantine/1/corrected", data={"load_kwh": "1\x00"})
    assert answer.status_code == 422


def test_the_refusal_of_a_form_is_in_the_language_of_the_owner(api: httpx.Client) -> None:
    answer = api.post(
        "/ui/login",
        data={"name": "a\x00b", "password": "secret"},
        headers={"Accept-Language": "de"},
    )
    assert answer.status_code == 422
    assert wording("refusals", "sentence_text-unusable", "de") in answer.text


@each_row("cookie", [r'luna_language="d\000e"', r'luna_theme="\000"', r'luna_session="\000"'])
def test_a_cookie_is_checked(api: httpx.Client, cookie: str) -> None:
    assert api.get("/ui/login", headers={"Cookie": cookie}).status_code in {200, 422}


def test_a_secret_is_not_repeated(api: httpx.Client) -> None:
    for kind in (
        {"json": {"name": "owner", "password": "hush\x00hush"}},
        {"json": {"name": "owner", "password": "hush\ud800"}},
    ):
        content = json.dumps(kind["json"])
        answer = api.post(
            "/v1/auth/login", content=content, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["field"]) == (422, "password")
        assert "hush" not in answer.text


def test_a_multipart_form_is_checked(api: httpx.Client) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\na\x00b\r\n--x--\r\n'
    answer = api.post(
        "/ui/login", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert answer.status_code == 422


@each_row("text", ["a\x00b", "\ud800"])
def test_an_argument_of_an_assistant_is_checked(api: httpx.Client, text: str) -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {"name": "search_documents", "arguments": {"query": text}},
    }
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    answer = api.post("/mcp", content=json.dumps(call), headers=headers)
    assert answer.status_code < 500
    assert "error" in answer.json() or answer.json()["result"]["isError"]


def test_a_path_of_half_a_character_finds_nothing_and_breaks_nothing(api: httpx.Client) -> None:
    for text in ("%ED%A0%80", quote("ä"), "%FF", "%C3"):
        answer = api.get(f"/v1/sites/{text}?{urlencode({'x': 1})}&y={text}")
        assert answer.status_code in {404, 422, 503}
