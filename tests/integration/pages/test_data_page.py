"""The page Data: quality by day, gaps, refused rows and what is decided about them, files."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape

import httpx
import pytest
from sqlalchemy import Engine

from luna.contracts.data import DayQuality, JudgeQualityRequest, LoadFileRequest
from luna.energy.day_fault import DayFault
from luna.energy.site import parse_site
from luna.platform.database import jobs, quality, quarantine, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from luna.words.quality import say_series
from tests.support.gateway.server import serve
from tests.support.pages.flat_html import flatten_html
from tests.support.pages.site_with_history import (
    describe_furnished,
    forget_furnished,
    furnish,
    refuse_row,
)
from tests.support.words.wording import wording, wording_pattern
from tests.support.worker.workers import worker_process

LAST = date(2026, 10, 27)
PAGE = "/ui/sites/home/data"


@pytest.fixture(scope="module")
def api(
    redis_url: str, database_url: str, database: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    with unit_of_work(database) as connection:
        furnish(connection, describe_furnished(), last=LAST)
        sites.save(connection, describe_furnished("bare"))
    folder = tmp_path_factory.mktemp("data")
    with serve(
        Addresses(database_url=database_url, redis_url=redis_url), data_folder=folder
    ) as client:
        yield client
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "bare")


def read(api: httpx.Client, address: str, language: str = "en") -> str:
    answer = api.get(address, headers={"Accept-Language": language})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", answer.text))).replace(
        "\u00a0", " "
    )


def test_a_month_shows_the_verdict_on_each_day_and_what_speaks_against_it(
    api: httpx.Client,
) -> None:
    text = read(api, f"{PAGE}?month=2026-10")
    # Of the 27 days judged, the 18th and the 10th are left out.
    assert wording("data", "headline_some", good=25, judged=27) in text
    fault = wording("quality", "fault_coverage", series="Consumption", known=68, slots=96)
    assert f"Sun 18 Oct: {wording('data', 'verdict_exclude')} ({fault})" in text
    assert f"Fri 23 Oct: {wording('data', 'verdict_mask_battery')}" in text
    assert "Wed 28 Oct: not checked" in text


def test_it_speaks_german(api: httpx.Client) -> None:
    text = read(api, f"{PAGE}?month=2026-10", "de")
    assert wording("data", "headline_some", "de", good=25, judged=27) in text
    fault = wording("quality", "fault_coverage", "de", series="Verbrauch", known=68, slots=96)
    assert f"So., 18. Okt.: {wording('data', 'verdict_exclude', 'de')} ({fault})" in text


def test_a_day_that_is_partly_estimated_says_so_and_stays_clean(
    api: httpx.Client, database: Engine
) -> None:
    told = DayQuality(
        day=LAST,
        verdict="clean",
        faults=[DayFault.of("estimated", series="load_kwh", known=9, slots=96)],
    )
    with unit_of_work(database) as connection:
        quality.save(connection, "home", [told])
    english, german = (read(api, f"{PAGE}?month=2026-10", language) for language in ("en", "de"))
    with unit_of_work(database) as connection:
        quality.save(connection, "home", [told.model_copy(update={"faults": []})])
    fault = wording("quality", "fault_estimated", series="Consumption", known=9, slots=96)
    assert f"Tue 27 Oct: {wording('data', 'verdict_clean')} ({fault})" in english
    assert "≈ partly estimated 1" in english
    assert "≈ teilweise geschätzt 1" in german
    assert wording("data", "estimated_days") not in read(api, f"{PAGE}?month=2026-10")


def test_a_month_of_which_nothing_is_known_says_so(api: httpx.Client) -> None:
    text = read(api, "/ui/sites/bare/data?month=2026-10")
    for code in ("headline_empty", "span_none", "quarantine_none", "loads_none"):
        assert wording("data", code) in text


def test_months_that_nobody_can_name_are_refused_in_words(api: httpx.Client) -> None:
    for wrong in ("2026-13", "never", "20-1", "0001-01", "9999-12"):
        assert api.get(f"{PAGE}?month={wrong}").status_code == 422, wrong


def test_judging_a_month_anew_is_a_job_of_its_days(api: httpx.Client, database: Engine) -> None:
    asked = api.post(f"{PAGE}/quality?month=2026-10")
    assert asked.status_code == 303
    with unit_of_work(database) as connection:
        (job,) = jobs.list_of_site(connection, "home", tasks=[JudgeQualityRequest.task])
    assert (job.request["from_day"], job.request["to_day"]) == ("2026-10-01", "2026-10-31")


def test_without_a_worker_gaps_are_not_known_and_the_page_stands_all_the_same(
    redis_url: str, database_url: str, api: httpx.Client
) -> None:
    with serve(Addresses(database_url=database_url, redis_url="redis://127.0.0.1:1/0")) as alone:
        part = alone.get(f"{PAGE}/gaps?month=2026-10", headers={"HX-Request": "true"})
        page = alone.get(f"{PAGE}/gaps?month=2026-10")
    assert part.status_code == page.status_code == 200
    assert wording("data", "gaps_unknown") in unescape(part.text)
    assert "<html" not in part.text
    assert "Quality by day" in page.text


def test_what_is_still_to_come_or_was_before_the_first_value_is_no_gap(api: httpx.Client) -> None:
    # Nobody has to be asked for that, so no worker has to be there.
    for month in ("2100-01", "1990-01"):
        assert wording("data", "gaps_none") in read(api, f"{PAGE}/gaps?month={month}")
    assert say_series("market_prices:DE-LU", language="de") == "Preise von DE-LU"


def test_refused_rows_are_let_in_corrected_or_left_out_and_another_site_s_are_not_there(
    api: httpx.Client, redis_url: str, database_url: str, database: Engine
) -> None:
    with unit_of_work(database) as connection:
        first, second = (refuse_row(connection, "home", line) for line in (7, 8))
        third = refuse_row(connection, "home", 9, load_kwh=0.7)
    assert wording_pattern("quarantine", "below", series="Consumption", limit=0).search(
        read(api, PAGE)
    )
    german = api.get(PAGE, headers={"Accept-Language": "de"}).text
    assert 'name="value:load_kwh" value="-0,4"' in flatten_html(german)
    assert api.post(f"/ui/sites/bare/data/quarantine/{first}/dismissed").status_code == 404
    assert (
        api.post(
            f"{PAGE}/quarantine/{first}/corrected", data={"value:load_kwh": "-0,4"}
        ).status_code
        == 422
    )
    assert api.post(f"{PAGE}/quarantine/{first}/eaten").status_code == 422
    with worker_process(redis_url, database_url, "services.ingest.tasks"):
        dismissed = api.post(f"{PAGE}/quarantine/{first}/dismissed")
        corrected = api.post(
            f"{PAGE}/quarantine/{second}/corrected",
            data={"value:load_kwh": "0,4", "value:pv_kwh": "0,2"},
        )
        released = api.post(f"{PAGE}/quarantine/{third}/released")
        gaps = read(api, f"{PAGE}/gaps?month=2026-11")
    assert (dismissed.status_code, corrected.status_code) == (303, 303), corrected.text
    assert wording("data", "decided_dismissed", id=first) in read(
        api, dismissed.headers["Location"]
    )
    assert wording("data", "decided_corrected", id=second) in read(
        api, corrected.headers["Location"]
    )
    assert wording("data", "decided_released", id=third) in read(api, released.headers["Location"])
    assert "Gaps" in gaps
    with unit_of_work(database) as connection:
        (row,) = quarantine.list_rows(connection, "home", status="corrected")
    assert row.corrected is not None
    assert row.corrected["load_kwh"] == 0.4


def test_a_file_is_taken_and_leads_to_what_becomes_of_it(
    api: httpx.Client, database: Engine
) -> None:
    form = {"kind": "observations", "timezone": "Europe/Berlin"}
    sent = api.post(
        f"{PAGE}/uploads",
        data=form,
        files={"file": ("zähler.csv", b"slot_start,load_kwh\n2026-10-01T00:00,0.2\n")},
    )
    assert sent.status_code == 303
    with unit_of_work(database) as connection:
        (job,) = jobs.list_of_site(connection, "home", tasks=[LoadFileRequest.task])
    assert (job.request["file_name"], job.request["kind"]) == ("zähler.csv", "observations")
    text = read(api, sent.headers["Location"])
    assert "zähler.csv" in text
    assert wording("every_page", "job_queued") in text
    wrong = api.post(
        f"{PAGE}/uploads",
        data={"kind": "songs"},
        files={"file": ("a.csv", b"x")},
        headers={"HX-Request": "true"},
    )
    assert wrong.status_code == 422
    assert "<html" not in wrong.text


def test_a_sensor_whose_sign_looks_inverted_is_turned_by_one_answer(
    api: httpx.Client, database: Engine
) -> None:
    day = date(2026, 10, 20)
    named = {
        "total_pv_production": "roof",
        "total_battery_charge": "-cell",
        "total_battery_discharge": "cell",
    }
    faults = [
        DayFault.of("sensor_wrong_sign", sensor="roof"),
        DayFault.of("turned", source="total_battery_discharge", sink="total_battery_charge"),
    ]
    with unit_of_work(database) as connection:
        sites.save(
            connection,
            parse_site({"name": "bare", "timezone": "Europe/Berlin", "input_sensors": named}),
        )
        quality.save(connection, "bare", [DayQuality(day=day, verdict="exclude", faults=faults)])
    page = api.get("/ui/sites/bare/data?month=2026-10").text
    forms = [
        form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "/site/sensors" in form
    ]
    fields = [re.findall(r'name="(\w+)" value="([^"]*)"', form) for form in forms]
    assert ("total_pv_production", "-roof") in fields[0]
    assert {("total_battery_charge", "cell"), ("total_battery_discharge", "-cell")} <= set(
        fields[1]
    )
    sent: dict[str, str] = dict(fields[0])
    assert api.post("/ui/sites/bare/site/sensors", data=sent).status_code == 303
    with unit_of_work(database) as connection:
        sensors = sites.load(connection, "bare").input_sensors
    assert sensors.total_pv_production == ("-roof",)
    assert sensors.total_battery_discharge == ("cell",)
