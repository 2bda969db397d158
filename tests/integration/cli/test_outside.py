"""``luna data prices``, ``weather`` and ``carbon`` on a machine from which nobody is reached."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.support.command_line.call import Luna
from tests.support.database.site import stored_site

SITE = {
    "name": "outside-home",
    "timezone": "Europe/Berlin",
    "location": {"latitude": 52.5, "longitude": 13.4},
    "tariff": {"import": {"kind": "spot", "market": "DE-LU"}},
}
DAY = ("--from", "2026-03-29", "--to", "2026-03-30")


@pytest.fixture
def offline(luna_on_servers: Luna, monkeypatch: pytest.MonkeyPatch) -> Luna:
    """Commands whose way out leads nowhere."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    return luna_on_servers


def test_prices_that_do_not_come_are_an_error_that_names_who_was_asked(offline: Luna) -> None:
    said = offline("data", "prices", "--market", "DE-LU", *DAY, "--json")
    problem = said.problem
    assert (said.code, problem["status"]) == (1, 503)
    assert all(name in problem["detail"] for name in ("energy_charts", "nord_pool", "awattar"))


@pytest.fixture
def home(database: Engine) -> Iterator[None]:
    """A stored site."""
    with stored_site(database, **SITE):
        yield


@pytest.mark.parametrize("what", ["weather", "carbon"])
def test_what_does_not_come_is_an_error(offline: Luna, home: None, what: str) -> None:
    said = offline("data", what, "--site", "outside-home", *DAY)
    assert (said.code, said.problem["status"]) == (1, 503)


@pytest.mark.parametrize("source", ["energinet", "electricity_maps", "nobody"])
def test_a_carbon_service_that_cannot_answer_is_refused_by_name(
    offline: Luna, home: None, source: str
) -> None:
    said = offline("data", "carbon", "--site", "outside-home", "--source", source, *DAY)
    assert (said.code, said.problem["field"]) == (2, "source")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--market", "MARS"], "market"),
        (["--market", "NL", "--source", "awattar", *DAY], "source"),
        (["--market", "NL", "--source", "entsoe", *DAY], "source"),
        (["--market", "NL", "--source", "nobody", *DAY], "source"),
        (["--market", "NL", "--from", "noon", "--to", "2026-03-30"], "--from"),
        (["--market", "NL", "--from", "2026-03-30", "--to", "2026-03-29"], "first"),
    ],
    ids=[
        "market",
        "a source without this market",
        "a source without its token",
        "no such source",
        "no time",
        "upside down",
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    offline: Luna, words: list[str], field: str
) -> None:
    said = offline("data", "prices", *words)
    assert said.code == 2
    assert said.problem["field"] == field
