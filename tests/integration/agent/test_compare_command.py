"""``luna agent compare``: two policies on the days that replays scored for both."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from luna.contracts.replay import ReplayRequest
from luna.platform.database.engine import unit_of_work
from services.planner.service.replay import replay_site
from tests.support.command_line.call import Luna
from tests.support.forecasts.evaluated_home import SITE, UNSEEN, evaluated_home

NAMED = ("agent", "compare", "--site", SITE.name)


@pytest.fixture(scope="module")
def scored(database: Engine) -> Iterator[Engine]:
    with evaluated_home(database):
        with unit_of_work(database) as connection:
            days = {"from_day": UNSEEN, "to_day": UNSEEN + timedelta(days=13)}
            replay_site(
                connection,
                ReplayRequest(
                    site_id=SITE.name,
                    **days,
                    policies=["idle", "self_consumption", "rule", "oracle"],
                ),
            )
        yield database


@pytest.mark.usefixtures("scored")
def test_a_comparison_says_how_much_and_how_sure(luna_on_servers: Luna) -> None:
    said = luna_on_servers(*NAMED, "--policies", "self_consumption,idle", "--json")
    found = said.document
    assert (said.code, found["days"], found["currency"]) == (0, 14, "EUR")
    assert found["low"] <= found["gain"] <= found["high"]
    # Two blocks of a week: two of four turns of their signs are as far as both alike.
    assert found["p_value"] == pytest.approx(0.5)
    assert 0 < found["points"]["points"] < 100
    assert (
        "In points of perfect foresight's savings"
        in luna_on_servers(*NAMED, "--policies", "self_consumption,idle").out
    )


@pytest.mark.usefixtures("scored")
def test_a_window_is_kept_to(luna_on_servers: Luna) -> None:
    window = "--from", str(UNSEEN), "--to", str(UNSEEN + timedelta(days=6))
    assert (
        luna_on_servers(*NAMED, "--policies", "self_consumption,idle", *window, "--json").document[
            "days"
        ]
        == 7
    )
    assert (
        "fewer than 14 days"
        in luna_on_servers(*NAMED, "--policies", "self_consumption,idle", *window).out
    )


@pytest.mark.parametrize(
    ("policies", "field", "reason"),
    [
        ("antares,mpc", "policies", "no-day-scored-for-both"),
        ("mpc", "--policies", None),
        ("mpc,mpc", "--policies", None),
    ],
    ids=["never replayed", "one", "twice the same"],
)
@pytest.mark.usefixtures("scored")
def test_what_cannot_be_compared_is_refused_with_what_to_do(
    luna_on_servers: Luna, policies: str, field: str, reason: str | None
) -> None:
    said = luna_on_servers(*NAMED, "--policies", policies, "--json")
    assert said.code == 2
    assert (said.problem["field"], said.problem.get("reason")) == (field, reason)
    assert said.problem["remedy"]
