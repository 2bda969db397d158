"""The sites that the head of a page offers are those of who looks at it, and of nobody else."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from luna.platform.embedded.supervisor import Servers
from tests.support.gateway.people import FOREIGN, OWN, Gate, gate_with_people

HOME = f"/ui/sites/{quote(OWN)}/home"


@pytest.fixture(scope="module")
def gate(
    servers: Servers, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    with gate_with_people(
        servers.database_url, redis_url, data_folder=tmp_path_factory.mktemp("data")
    ) as gate:
        yield gate


def head_of(text: str) -> str:
    return text[text.index('<header class="top">') : text.index("</header>")]


def test_who_has_one_site_sees_its_name_and_no_other(gate: Gate) -> None:
    head = head_of(gate.client.get(HOME, headers=gate.session("user")).text)
    assert f'<a class="name" href="{HOME}">{OWN}</a>' in head
    assert FOREIGN not in head
    # Only who looks after Luna adds sites.
    assert "/ui/setup" not in head


def test_an_admin_sees_every_site_and_adds_one(gate: Gate) -> None:
    head = head_of(gate.client.get(HOME, headers=gate.session("admin")).text)
    assert f'href="/ui/sites/{quote(FOREIGN)}/home"' in head
    assert "/ui/setup" in head


def test_the_first_page_is_that_of_the_first_site_of_who_asks(gate: Gate) -> None:
    # Sorted, the foreign one comes first.
    assert gate.client.get("/", headers=gate.session("user")).headers["Location"] == HOME
    assert (
        gate.client.get("/", headers=gate.session("admin")).headers["Location"]
        == f"/ui/sites/{quote(FOREIGN)}/home"
    )


@pytest.mark.parametrize("path", ["/ui/login", "/ui/nothing"])
def test_nobody_is_told_of_any_site(gate: Gate, path: str) -> None:
    text = gate.client.get(path).text
    assert "<html" in text
    assert OWN not in text
    assert FOREIGN not in text


def test_a_foreign_site_is_told_off_on_a_page_that_offers_ones_own(gate: Gate) -> None:
    page = gate.client.get(f"/ui/sites/{quote(FOREIGN)}/home", headers=gate.session("user"))
    assert page.status_code == 404
    assert HOME in head_of(page.text)
