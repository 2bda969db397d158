"""``luna forecast scenarios``: for machines one document, for people a table with what it could not
rest on.
"""

import numpy as np
import pytest
from sqlalchemy import Engine

from luna.platform.database import engine, forecasts, sites
from tests.support.command_line.call import Luna
from tests.support.forecasts.scenarios import ISSUED_AT, SLOTS, describe_forecast
from tests.support.household.measurements import describe_site

ASKED = ("forecast", "scenarios", "--site", "scenarios_cli", "--version", "aurora_v1.0")


@pytest.fixture
def luna_with_forecast(luna_on_servers: Luna, database: Engine) -> Luna:
    """Runs commands on a database in which a site has a forecast and nothing else."""
    with engine.unit_of_work(database) as connection:
        sites.save(connection, describe_site(name="scenarios_cli"))
        forecasts.upsert(connection, "scenarios_cli", [describe_forecast(np.random.default_rng(1))])
    return luna_on_servers


def test_the_document_holds_every_course(luna_with_forecast: Luna) -> None:
    said = luna_with_forecast(*ASKED, "--at", "2024-05-06T10:30:00Z", "--count", "4", "--json")
    assert said.code == 0, said.err
    assert (said.document["issued_at"], said.document["count"], said.document["reasons"]) == (
        "2024-05-06T10:07:00Z",
        4,
        ["few_error_paths"],
    )
    paths = said.document["paths"]
    assert sum(paths["probability"]) == pytest.approx(1, abs=1e-5)
    assert (len(paths["load_kwh"]), len(paths["load_kwh"][0]), len(paths["pv_kwh"])) == (
        4,
        SLOTS,
        4,
    )


def test_people_read_what_they_rest_on(luna_with_forecast: Luna) -> None:
    said = luna_with_forecast(*ASKED, "--at", ISSUED_AT.isoformat())
    assert said.code == 0
    assert "10 scenarios of the next 48 hours" in said.out
    assert "Less than two weeks" in said.out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--at", "2024-05-06T09:00:00Z"), "at"),
        (("--at", "2024-05-06T10:30:00Z", "--count", "31"), "--count"),
    ],
    ids=["no forecast", "too many"],
)
def test_bad_input_is_named_and_ends_with_two(
    luna_with_forecast: Luna, words: tuple[str, ...], named: str
) -> None:
    said = luna_with_forecast(*ASKED, *words, "--json")
    assert (said.code, said.out) == (2, "")
    assert named.strip("-") in said.problem["field"]
