"""Questions about variants, from stored days to the answer."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from luna.contracts.replay import ReplayRequest
from luna.contracts.variant import WhatIfRequest, WhatIfVariantRequest
from luna.energy.errors import InvalidInputError, NotFoundError
from luna.energy.observations import Observations
from luna.energy.outlook import Forecast, Quantiles
from luna.energy.timeline import SLOT, Timeline
from luna.house.what_if_questions import open_question, read_state
from luna.platform.database import forecasts, jobs, observations, sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.planner.service.replay import replay_site
from services.planner.service.variant import name_outlook, replay_flows, replay_variant
from tests.support.command_line.call import Luna
from tests.support.database.site import store_site
from tests.support.gateway.server import serve
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording, wording_pattern

NOW = datetime(2024, 3, 1, tzinfo=UTC)
SITE = "what if"
BATTERY = {"name": "battery", "capacity_kwh": 4, "charge_limit_kw": 2, "discharge_limit_kw": 2}
TARIFF = {
    "import": {
        "kind": "time_of_use",
        "default": 0.3,
        "bands": [{"from": "00:00", "to": "06:00", "price": 0.1}],
    }
}
# Days from 30 January to 2 February are observed; the first is what the usual of the second is made
# of.
OBSERVED = Timeline(datetime(2024, 1, 30, tzinfo=UTC), SLOT, 4 * 96)
QUESTION: dict[str, Any] = {
    "site_id": SITE,
    "from_day": "2024-01-31",
    "to_day": "2024-02-01",
    "every_minutes": 240,
    "variants": [
        {
            "name": "8 kWh",
            "site": {"batteries": {"battery": {"capacity_kwh": 8}}},
            "investment": 1000,
        },
        {"name": "none", "site": {"batteries": []}},
    ],
}


def store_measured_site(connection: Connection, tariff: dict[str, Any] = TARIFF) -> None:
    store_site(
        connection,
        name=SITE,
        timezone="UTC",
        batteries=[BATTERY],
        pv=[{"peak_kw": 4}],
        tariff=tariff,
    )
    used_kwh = np.full(OBSERVED.count, 0.25)
    series = {"load_kwh": used_kwh, "pv_kwh": 0 * used_kwh, "import_kwh": used_kwh}
    observations.upsert(connection, SITE, Observations.of(OBSERVED.starts, series))


@pytest.fixture
def there(connection: Connection) -> Connection:
    """A database that holds the site and its days."""
    store_measured_site(connection)
    return connection


@pytest.fixture(scope="module")
def stored(database: Engine) -> None:
    """The same, committed, for what opens connections of its own."""
    with unit_of_work(database) as connection:
        store_measured_site(connection)


@pytest.fixture(scope="module")
def api(database_url: str, redis_url: str, stored: None) -> Iterator[httpx.Client]:
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client


def ask(connection: Connection, **changes: Any) -> list[WhatIfVariantRequest]:
    return open_question(connection, WhatIfRequest.model_validate(QUESTION | changes), now=NOW)


def test_the_last_replay_to_be_done_concludes_whichever_it_is(there: Connection) -> None:
    replays = ask(there)
    state = read_state(there, replays[0].what_if_id)
    assert (state.status, [each.name for each in state.variants]) == (
        "open",
        ["baseline", "8 kWh", "none"],
    )
    for replay in reversed(replays[1:]):
        assert replay_variant(there, replay).replayed < 3
        assert read_state(there, replay.what_if_id).reply is None
    replay_variant(there, replays[0])
    state = read_state(there, replays[0].what_if_id)
    assert state.status == "done"
    assert state.reply is not None
    assert [each.name for each in state.reply.variants] == ["8 kWh", "none"]
    assert (state.reply.days, state.reply.outlook) == (2, "usual")


COUNTED = [
    {
        "kind": "blocks",
        "name": "energy",
        "blocks": [{"up_to_kwh": 30, "price": 0.2}, {"price": 0.4}],
    },
    {
        "kind": "allowance",
        "name": "from noon",
        "kwh_per_day": 12,
        "price": 0,
        "price_beyond": 0.1,
        "day_begins": "12:00",
    },
]
# Of 24 kWh a day; 30 January counts for the month, its afternoon for the allowance.
# Blocks: on the 31st 6 kWh at 20 and 18 at 40 cents, on the 1st all at 20 cents.
# Allowance: 12 kWh of each morning are beyond it.
COUNTED_BILL = (6 * 0.2 + 18 * 0.4 + 12 * 0.1) + (24 * 0.2 + 12 * 0.1)


def test_a_tariff_that_counts_begins_with_what_the_meter_had_counted(there: Connection) -> None:
    counted = {"import": {"kind": "components", "components": COUNTED}}
    variant = {"name": "counted", "site": {"batteries": [], "tariff": counted}}
    replays = ask(there, variants=[variant], policy="idle")
    for replay in replays:
        replay_variant(there, replay)
    reply = read_state(there, replays[0].what_if_id).reply
    assert reply is not None
    assert reply.variants[0].bill == pytest.approx(COUNTED_BILL)


def test_a_site_s_own_days_are_replayed_under_such_a_tariff(connection: Connection) -> None:
    store_measured_site(
        connection, tariff={"import": {"kind": "components", "components": COUNTED}}
    )
    request = ReplayRequest(
        site_id=SITE, from_day=date(2024, 1, 31), to_day=date(2024, 2, 1), policies=["idle"]
    )
    days = replay_site(connection, request).policies["idle"].days
    assert sum(day.cost for day in days) == pytest.approx(COUNTED_BILL)


def test_asked_again_the_same_is_answered(there: Connection) -> None:
    replies = []
    for order in (1, -1):
        replays = ask(there)
        for replay in replays[::order]:
            replay_variant(there, replay)
        replies.append(read_state(there, replays[0].what_if_id).reply)
    assert replies[0] == replies[1]
    assert replies[0] is not None


def test_a_battery_is_worth_what_it_moves(there: Connection) -> None:
    replays = ask(there)
    for replay in replays:
        replay_variant(there, replay)
    reply = read_state(there, replays[0].what_if_id).reply
    assert reply is not None
    larger, none = reply.variants
    assert none.months[0].month == "2024-01"
    # Without a battery: 6 h at 0.10 and 18 h at 0.30, 1 kW each.
    assert none.bill == pytest.approx(2 * 6.0)
    assert none.savings < 0 < larger.savings
    # Two days say nothing of years.
    assert larger.payback_years is None
    assert wording_pattern("alternatives", "days_less", name="8 kWh", days=2).match(larger.text)
    assert wording("alternatives", "days_few", least=28) in larger.text
    assert wording_pattern("alternatives", "days_more", name="none", days=2).match(none.text)
    for each in reply.variants:
        assert each.savings == pytest.approx(reply.baseline.total - each.total)
        assert each.total == pytest.approx(each.bill - each.stored_gain)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param(
            {"from_day": "2024-02-02", "to_day": "2024-02-05"},
            "load_kwh",
            id="days without observations",
        ),
        pytest.param(
            {"from_day": "2024-01-30", "to_day": "2024-01-30"},
            "from_day",
            id="nothing before the window",
        ),
        pytest.param(
            {"from_day": "2024-02-01", "to_day": "2024-01-31"}, "to_day", id="upside down"
        ),
    ],
)
def test_a_window_that_cannot_be_replayed_says_why(
    there: Connection, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        replay_variant(there, ask(there, **changes)[0])
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_tariff_without_prices_names_the_slot_that_lacks_one(there: Connection) -> None:
    spot = {"name": "spot", "site": {"tariff": {"import": {"kind": "spot", "market": "nowhere"}}}}
    with pytest.raises(InvalidInputError) as refused:
        replay_variant(there, ask(there, variants=[spot])[1])
    assert refused.value.reason == "slot-price-missing"


def test_issued_forecasts_that_are_not_there_are_said_to_be_missing(there: Connection) -> None:
    with pytest.raises(NotFoundError) as refused:
        replay_variant(there, ask(there, outlook="issued")[0])
    assert refused.value.reason == "no-forecasts-issued"


def test_where_forecasts_of_each_day_are_there_they_are_planned_from(there: Connection) -> None:
    nothing = Quantiles.exact(np.zeros(192))
    for day in (0, 1):
        begin = OBSERVED.start + timedelta(days=day, hours=23)
        forecasts.upsert(
            there,
            SITE,
            [
                Forecast(
                    Timeline(begin, SLOT, 192),
                    begin,
                    "aurora_v1.0",
                    Quantiles.exact(np.full(192, 0.25)),
                    nothing,
                )
            ],
        )
    question = WhatIfRequest.model_validate(QUESTION | {"forecast_version": "aurora_v1.0"})
    site = sites.load(there, SITE)
    assert name_outlook(there, question, site) is None
    begin = OBSERVED.start + timedelta(days=2, hours=1)
    forecasts.upsert(
        there,
        SITE,
        [
            Forecast(
                Timeline(begin, SLOT, 192),
                begin,
                "aurora_v1.0",
                Quantiles.exact(np.full(192, 0.25)),
                nothing,
            )
        ],
    )
    assert name_outlook(there, question, site) == "aurora_v1.0"
    assert replay_flows(there, question, question.variants[0]).outlook == "aurora_v1.0"


def test_a_variant_that_fits_no_site_is_refused_before_anything_is_stored(
    there: Connection,
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ask(
            there,
            variants=[{"name": "odd", "site": {"batteries": {"battery": {"capacity_kwh": -1}}}}],
        )
    assert refused.value.field == "variants.odd.site.batteries.0.capacity_kwh"
    with pytest.raises(NotFoundError, match="no such site"):
        ask(there, site_id="elsewhere")


def test_a_question_is_accepted_as_a_job_for_each_replay(
    api: httpx.Client, database: Engine
) -> None:
    answer = api.post("/v1/what-ifs", json=QUESTION)
    assert answer.status_code == 202, answer.text
    what_if_id = answer.json()["what_if_id"]
    assert answer.headers["location"] == f"/v1/what-ifs/{what_if_id}"
    assert [each["status"] for each in answer.json()["variants"]] == ["queued"] * 3
    with unit_of_work(database) as connection:
        job = jobs.load(connection, answer.json()["variants"][1]["job_id"])
    assert (job.task, job.request["variant"]) == ("planner.what_if.replay", "8 kWh")
    assert api.get(f"/v1/what-ifs/{what_if_id}").json() == answer.json()


def test_a_failed_replay_is_told_with_its_problem(api: httpx.Client, database: Engine) -> None:
    state = api.post("/v1/what-ifs", json=QUESTION | {"policy": "idle"}).json()
    with unit_of_work(database) as connection:
        jobs.finish(
            connection,
            jobs.begin(connection, state["variants"][0]["job_id"]),
            status="failed",
            error={"detail": "no prices"},
        )
    told = api.get(f"/v1/what-ifs/{state['what_if_id']}").json()
    assert (told["status"], told["variants"][0]["error"]) == ("failed", {"detail": "no prices"})


@each_row(
    ("changes", "status", "field"),
    [
        pytest.param({"site_id": "elsewhere"}, 404, "site", id="unknown site"),
        pytest.param({"variants": []}, 422, "variants", id="no variant"),
        pytest.param(
            {"from_day": "2024-02-01", "to_day": "2024-01-31"}, 422, "to_day", id="upside down"
        ),
        pytest.param({"variants": [{"name": "baseline"}]}, 422, "body", id="the baseline's name"),
        pytest.param(
            {"variants": [{"name": "odd", "site": {"roof": {}}}]},
            422,
            "variants.odd.site.roof",
            id="names nothing known",
        ),
    ],
)
def test_a_wrong_question_names_its_field(
    api: httpx.Client, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = api.post("/v1/what-ifs", json=QUESTION | changes)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_an_unknown_question_is_not_found(api: httpx.Client) -> None:
    assert api.get("/v1/what-ifs/unknown").status_code == 404


@pytest.mark.usefixtures("stored")
def test_the_command_answers_in_figures_words_and_a_picture(
    luna_on_servers: Luna, tmp_path: Path, database: Engine
) -> None:
    words = (
        "what-if",
        "--site",
        SITE,
        "--from",
        "2024-01-31",
        "--to",
        "2024-02-01",
        "--policy",
        "rule",
        "--variant",
        "none: batteries.battery=null",
    )
    said = luna_on_servers(*words, "--out", str(tmp_path / "bills.svg"))
    assert "none costs €" in said.out
    assert said.out.count("end charge") == said.out.count("together") == 2
    assert (tmp_path / "bills.svg").read_text().count('class="bar"') == 2
    with unit_of_work(database) as connection:
        what_if_id = said.out.split()[-1]
        assert what_ifs.load(connection, what_if_id).from_day == date(2024, 1, 31)
    assert luna_on_servers("what-if", "--id", what_if_id, "--json").document["status"] == "done"
    refused = luna_on_servers(*words[:-1], "none")
    assert (refused.code, refused.problem["field"]) == (2, "--variant")
