"""The page What if: a form becomes a question, its answer a picture and a table."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.variant import WhatIfVariantRequest
from luna.platform.database import sites, what_ifs
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from services.planner.service.variant import replay_variant
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import describe_furnished, forget_furnished, furnish
from tests.support.words.wording import wording, wording_pattern

LAST = date(2026, 10, 27)
PAGE = "/ui/sites/home/what-ifs"
FORM = {
    "from": "2026-10-24",
    "to": "2026-10-26",
    "battery": "2",
    "pv": "1",
    "fixed_price": "0,30",
    "investment": "",
    "expert": "",
}


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, database: Engine) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        furnish(connection, describe_furnished(vehicles=[], loads=[]), last=LAST)
        sites.save(connection, describe_furnished("bare", batteries=[], pv=[]))
        sites.save(connection, describe_furnished("blank"))
    with serve(Addresses(database_url=database_url, redis_url=redis_url)) as client:
        yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "bare", "blank")


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def test_a_form_becomes_variants_and_their_replays_a_picture_and_a_table(
    api: httpx.Client, database: Engine
) -> None:
    asked = api.post(PAGE, data=FORM)
    assert asked.status_code == 303, asked.text
    address = asked.headers["Location"]
    what_if_id = address.rsplit("/", 1)[1]
    with unit_of_work(database) as connection:
        question = what_ifs.load(connection, what_if_id)
    assert [variant.name for variant in question.variants] == ["Battery × 2", "Fixed 30.0\u00a0ct"]
    # Of 10 kWh twice as much.
    assert question.variants[0].site == {"batteries": {"battery": {"capacity_kwh": 20.0}}}
    assert wording("what_ifs", "open", done=0, total=3) in read(api, address)
    assert "<html" not in api.get(address, headers={"HX-Request": "true"}).text
    with unit_of_work(database) as connection:
        for name in ("baseline", "Battery × 2", "Fixed 30.0\u00a0ct"):
            replay_variant(connection, WhatIfVariantRequest(what_if_id=what_if_id, variant=name))
        reply = what_ifs.read_answer(connection, what_if_id)[1]
    assert reply is not None
    page = api.get(address).text
    assert page.count('<svg class="chart bills') == 2
    # A replay tells differences; what was paid is the account's, and this home has no meter at the
    # grid.
    assert f"€{reply.variants[0].savings:+.2f}".replace("€+", "+€").replace(
        "€-", "−€"
    ) in page.replace("\u2212", "−")
    assert f"€{reply.baseline.total:.2f}" not in page
    assert wording("what_ifs", "counted_unknown") in read(api, address)
    text = read(api, address, "de")
    assert wording("what_ifs", "differences", "de") in text
    assert wording("what_ifs", "few_days", "de") in text
    assert "Battery × 2, Fixed 30.0 ct" in read(api, PAGE)
    assert api.get(f"/ui/sites/bare/what-ifs/{what_if_id}").status_code == 404


def test_what_a_house_does_not_have_can_be_tried_as_well(
    api: httpx.Client, database: Engine
) -> None:
    asked = api.post(
        "/ui/sites/bare/what-ifs", data=FORM | {"fixed_price": "", "investment": "5000"}
    )
    assert asked.status_code == 303, asked.text
    with unit_of_work(database) as connection:
        question = what_ifs.load(connection, asked.headers["Location"].rsplit("/", 1)[1])
    assert question.variants[0].name == "A battery of 10.0\u00a0kWh"
    assert question.variants[0].investment == 5000


def test_forms_that_make_no_question_are_refused_in_words(api: httpx.Client) -> None:
    for changes, said in [
        ({"battery": "1", "fixed_price": ""}, wording_pattern("what_ifs", "nothing_changed")),
        ({"expert": "{"}, wording_pattern("what_ifs", "no_json")),
        ({"expert": "[" * 9000}, wording_pattern("what_ifs", "no_json")),
        ({"expert": "[1]"}, wording_pattern("what_ifs", "no_json")),
        (
            {"expert": '{"batteries": {"battery": {"capacity_kwh": -1}}}'},
            re.compile("Battery: capacity"),
        ),
        ({"fixed_price": "cheap"}, wording_pattern("what_ifs", "no_number")),
        ({"battery": "7"}, re.compile("battery")),
        ({"from": "yesterday"}, re.compile("from")),
    ]:
        refused = api.post(PAGE, data=FORM | changes, headers={"Accept-Language": "en"})
        assert refused.status_code == 422, changes
        assert said.search(unescape(refused.text)), changes


def test_without_a_past_or_a_plan_that_is_what_is_said(api: httpx.Client) -> None:
    text = read(api, "/ui/sites/blank/what-ifs")
    assert wording("what_ifs", "data_none") in text
    assert wording("what_ifs", "asked_none") in text
    refused = api.post("/ui/sites/blank/what-ifs", data=FORM | {"from": "", "to": ""})
    assert refused.status_code == 422
    assert wording("what_ifs", "no_plan") in read(api, "/ui/sites/blank/what-ifs/plan?battery=2")
