"""The token that a browser's session sends with everything that changes something: in a header or a
form's field, never in an address.
"""

import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import quote

import pytest

from luna.contracts.data import LoadFileRequest
from luna.platform.clock import SystemClock
from luna.platform.database import jobs, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Servers
from services.api.app import OPERATIONS
from services.api.operation import Operation
from tests.support.gateway.people import OWN, Gate, gate_with_people
from tests.support.pages.site_with_history import describe_furnished, furnish, plan_now
from tests.support.suite.depth import LONG
from tests.support.suite.tables import each_row

HOME = f"/ui/sites/{quote(OWN)}"
PAGES = (
    "home",
    "planning",
    "energy",
    "data",
    "savings",
    "what-ifs",
    "forecasts",
    "knowledge",
    "knowledge/documents",
)
CHANGING = [
    each for each in OPERATIONS if each.method not in {"GET", "HEAD"} and each.scope != "public"
]
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json")
# In a short run kinds of bodies take turns, and one operation of four is tried: one guard asks
# for all.
SENT = [
    (operation, kind)
    for number, operation in enumerate(CHANGING if LONG else CHANGING[::4])
    for kind in (KINDS if LONG else KINDS[number % len(KINDS) :][:1])
]
FILE = b"slot_start,load_kwh\n" + b"2026-10-01T00:00,0.2\n" * 20_000


@pytest.fixture(scope="module")
def gate(
    servers: Servers, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    with gate_with_people(
        servers.database_url, redis_url, data_folder=tmp_path_factory.mktemp("data")
    ) as gate:
        with unit_of_work(gate.database) as connection:
            furnish(connection, describe_furnished(OWN), last=date(2026, 10, 27))
            plan_now(connection, sites.load(connection, OWN), SystemClock().now())
        yield gate


def without_header(gate: Gate) -> tuple[dict[str, str], str]:
    """Return the cookie of a confirmed session, and its token."""
    headers = gate.session("admin", confirmed=True)
    token = headers.pop("X-CSRF-Token")
    return headers, token


@each_row("page", PAGES)
def test_no_address_on_a_page_holds_the_token_and_no_form_that_asks_by_address_has_it_as_a_field(
    gate: Gate, page: str
) -> None:
    headers, token = without_header(gate)
    html = gate.client.get(f"{HOME}/{page}", headers=headers).text
    assert f'name="csrf_token" value="{token}"' in html
    assert not re.search(rf'="[^"]*[?&][^"]*{token}', html)
    included = re.findall(r'hx-include="#([\w-]+)"', html)
    by_address = [
        form
        for form in re.findall(r"<form.*?</form>", html, re.DOTALL)
        if is_by_address(form, included)
    ]
    assert not any('type="hidden" name="csrf_token"' in form for form in by_address)


def is_by_address(form: str, included: list[str]) -> bool:
    """Return whether what a form holds may be sent in an address: by a button of its own, or by
    another element.
    """
    name = re.match(r'<form[^>]* id="([\w-]+)"', form)
    return 'method="get"' in form or (name is not None and name[1] in included)


def write_field(name: str, value: str) -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def send(
    gate: Gate,
    headers: dict[str, str],
    *before: tuple[str, str],
    behind: tuple[tuple[str, str], ...] = (),
) -> int:
    """Send a file with fields before and behind it, in this order, and return the status."""
    file = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n\r\n'
        + FILE
        + b"\r\n"
    )
    content = (
        b"".join(write_field(*field) for field in before)
        + file
        + b"".join(write_field(*field) for field in behind)
        + b"--b--\r\n"
    )
    sent = headers | {"Content-Type": "multipart/form-data; boundary=b"}
    return gate.client.post(f"{HOME}/data/uploads", content=content, headers=sent).status_code


KIND = ("kind", "observations")
ZONE = ("timezone", "Europe/Berlin")


def test_a_form_with_several_files_carries_the_token_before_them(gate: Gate) -> None:
    headers, token = without_header(gate)
    files = [
        ("file", (name, f"# {name}\n".encode(), "text/markdown")) for name in ("box.md", "kiste.md")
    ]
    answers = [
        gate.client.post(
            f"{HOME}/knowledge/documents", data={"csrf_token": said}, files=files, headers=headers
        ).status_code
        for said in (token, "guessed")
    ]
    assert answers == [303, 403]


def test_a_form_with_a_file_carries_the_token_as_a_field_before_the_file(gate: Gate) -> None:
    headers, token = without_header(gate)
    assert send(gate, headers, ("csrf_token", token), KIND, ZONE) == 303
    with unit_of_work(gate.database) as connection:
        (job,) = jobs.list_of_site(connection, OWN, tasks=[LoadFileRequest.task])
    assert (job.request["kind"], job.request["timezone"]) == ("observations", "Europe/Berlin")


def test_a_form_with_a_file_is_refused_without_the_token_with_a_wrong_one_or_behind_the_file(
    gate: Gate,
) -> None:
    headers, token = without_header(gate)
    assert send(gate, headers, KIND, ZONE) == 403
    assert send(gate, headers, ("csrf_token", "0" * 64), KIND, ZONE) == 403
    assert send(gate, headers, ("csrf_token", ""), KIND, ZONE) == 403
    # The file is longer than what is looked at before anybody is known.
    assert send(gate, headers, KIND, ZONE, behind=(("csrf_token", token),)) == 403


def test_a_script_sends_the_token_in_a_header(gate: Gate) -> None:
    headers, token = without_header(gate)
    assert send(gate, headers | {"X-CSRF-Token": token}, KIND, ZONE) == 303


@each_row(("operation", "kind"), SENT, ids=[f"{operation.name} {kind}" for operation, kind in SENT])
def test_no_operation_takes_the_token_from_an_address(
    gate: Gate, operation: Operation, kind: str
) -> None:
    headers, token = without_header(gate)
    path = re.sub(r"\{[^}]+\}", "1", operation.path)
    body = {"multipart/form-data; boundary=b": b"--b--\r\n"}.get(kind, b"")
    answer = gate.client.request(
        operation.method,
        f"{path}?csrf_token={token}",
        content=body,
        headers=headers | {"Content-Type": kind},
    )
    assert answer.status_code == 403
