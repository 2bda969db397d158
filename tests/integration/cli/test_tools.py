"""``luna tools``: what assistants are told, asked by hand."""

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from luna.platform.database.engine import unit_of_work
from services.rag.tools.registry import TOOLS
from tests.support.command_line.call import Luna
from tests.support.database.databases import remove_site
from tests.support.pages.random_home import furnish_told

NAME = "told home"


@pytest.fixture(autouse=True)
def home(database: Engine) -> Iterator[None]:
    """A home with a past."""
    with unit_of_work(database) as connection:
        furnish_told(connection, name=NAME)
    yield
    remove_site(database, NAME)


def test_the_list_names_every_tool(luna_on_servers: Luna) -> None:
    said = luna_on_servers("tools", "list", "--json")
    assert {tool["name"] for tool in json.loads(said.out)["tools"]} == set(TOOLS)


def test_a_call_tells_its_sentences_and_where_they_come_from(luna_on_servers: Luna) -> None:
    said = luna_on_servers(
        "tools",
        "call",
        "energy_query",
        "--site",
        NAME,
        "--arguments",
        '{"first_day": "2024-04-01"}',
        "--language",
        "de",
    )
    assert said.code == 0
    assert "Verbrauch" in said.out
    assert "/series/load_kwh?from=" in said.out


def test_a_call_with_wrong_arguments_lists_the_right_ones(luna_on_servers: Luna) -> None:
    said = luna_on_servers(
        "tools", "call", "energy_query", "--site", NAME, "--arguments", '{"day": "2024-04-01"}'
    )
    assert said.code == 2
    properties = TOOLS["energy_query"].arguments.model_json_schema()["properties"]
    assert [name for name in properties if name not in said.err] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing", "--site", NAME), 2),
        (("plan", "--site", "nowhere"), 2),
        (("plan", "--site", NAME, "--arguments", "{"), 2),
        (("plan", "--site", NAME, "--arguments", "[]"), 2),
        (("plan", "--site", NAME, "--arguments", '{"first_day": "never"}'), 2),
    ],
)
def test_a_wrong_call_is_refused(luna_on_servers: Luna, words: tuple[str, ...], code: int) -> None:
    assert luna_on_servers("tools", "call", *words).code == code
