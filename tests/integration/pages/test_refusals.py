"""Every form filled in wrong: what is said stands in the reader's language, with what to do, and nothing was changed."""

import html
import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from luna.energy.timeline import SLOT, floor_to
from luna.platform.clock import SystemClock
from luna.platform.database import sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.control.inverters import describe
from tests.support.gateway.server import serve
from tests.support.pages.site_with_history import describe_furnished, forget_furnished, furnish, plan_now, refuse_row
from tests.support.suite.tables import each_row

HOME = "/ui/sites/home"
NOW = floor_to(SystemClock().now(), SLOT)
SPAN = {"from": (NOW + timedelta(hours=8)).isoformat(), "to": (NOW + timedelta(hours=10)).isoformat()}
PAST = {"from": (NOW - timedelta(hours=3)).isoformat(), "to": (NOW - timedelta(hours=2)).isoformat()}
BACKWARDS = {"from": SPAN["to"], "to": SPAN["from"]}
BLOCK, STAY = {"device": "battery", "action": "charge"}, {"vehicle": "car", "arrival": "40"}
FIELD = {"mode": "charge"}
LONG = {"from": SPAN["from"], "to": (NOW + timedelta(days=400)).isoformat()}

# path, form, what a German is told of it, and an English reader.
WRONG: list[tuple[str, str, dict[str, str], str, str]] = [
    ("power", "/planning/blocks", BLOCK | SPAN | {"power_kw": "viel"}, "Das ist keine Zahl.", "This is no number."),
    ("much power", "/planning/blocks", BLOCK | SPAN | {"power_kw": "99"}, "Höchstens 5 kW.", "At most 5 kW."),
    ("power of a pause", "/planning/blocks", BLOCK | SPAN | {"action": "hold", "power_kw": "2"}, "Lass die Leistung leer.", "Leave the power empty."),
    ("block backwards", "/planning/blocks", BLOCK | BACKWARDS, "Das Ende liegt vor dem Anfang.", "The end lies before the beginning."),
    ("block in the past", "/planning/blocks", BLOCK | PAST, "Diese Zeit ist vorbei.", "This time has passed."),
    ("long block", "/planning/blocks", BLOCK | LONG, "Das ist zu lang.", "This is too long."),
    ("no such device", "/planning/blocks", BLOCK | SPAN | {"device": "toaster"}, "Dieses Gerät gibt es hier nicht.", "There is no such device here."),
    ("no such action", "/planning/blocks", BLOCK | SPAN | {"action": "dance"}, "Das lässt sich nicht wählen.", "This cannot be chosen."),
    ("what the device cannot", "/planning/blocks", BLOCK | SPAN | {"action": "on"}, "Batterie kann das nicht.", "Battery cannot do that."),
    ("no time", "/planning/blocks", BLOCK | SPAN | {"from": "soon"}, "Das ist keine lesbare Zeitangabe.", "This is no time that can be read."),
    ("nothing filled in", "/planning/blocks", {}, "Hier fehlt etwas.", "Something is missing."),
    ("no such block", "/planning/blocks/4711/take-back", {}, "Das gibt es nicht oder nicht mehr.", "This is not there, or not any more."),
    ("heat for days", "/planning/heat", {"device": "boiler", "hours": "99"}, "Höchstens 24.", "At most 24."),
    ("unsure", "/planning/arm", {}, "", ""),
    ("no control", "bare:/planning/arm", {"sure": "true"}, "Noch hat niemand gesagt", "Nobody has said yet"),
    ("foreign device", "/planning/resume", {"device": "load:toaster"}, "Dieses Gerät steuert Luna nicht.", "does not control this"),
    ("unknown arrival", "/planning/stays", {"vehicle": "car"} | SPAN, "wie voll das Auto kommt", "how full the car comes"),
    ("no such car", "/planning/stays", STAY | SPAN | {"vehicle": "boat"}, "Es gibt: Auto.", "There are: Car."),
    ("more than full", "/planning/stays", STAY | SPAN | {"target": "120"}, "Höchstens 100.", "At most 100."),
    ("stay backwards", "/planning/stays", STAY | BACKWARDS, "Das Ende liegt vor dem Anfang.", "The end lies before the beginning."),
    ("stay in the past", "/planning/stays", STAY | PAST, "Diese Zeit ist vorbei.", "This time has passed."),
    ("override until yesterday", "/home/override", FIELD | {"until": PAST["to"]}, "Diese Zeit ist vorbei.", "This time has passed."),
    (
        "override of nothing",
        "/home/override",
        FIELD | {"until": SPAN["to"], "device": "load:toaster"},
        "Dieses Gerät steuert Luna nicht.",
        "does not control this",
    ),
    ("no such mode", "/home/override", {"mode": "dance", "until": SPAN["to"]}, "Batterie kann das nicht.", "Battery cannot do that."),
    ("no such decision", "/data/quarantine/4711/dismissed", {}, "Das gibt es nicht oder nicht mehr.", "This is not there, or not any more."),
    ("nothing corrected", "/data/quarantine/ROW/corrected", {}, "Kein Wert wurde geändert.", "No value was changed."),
    ("no worker", "/data/quarantine/ROW/dismissed", {}, "Niemand hat innerhalb von 0,2 Sekunden geantwortet.", "Nobody answered within 0.2 seconds."),
    ("no such month", "/data/quality?month=13", {}, "Schreib einen Monat wie 2024-02.", "Write a month such as 2024-02."),
    ("no change asked", "/what-ifs", {"from": "2026-10-01", "to": "2026-10-20"}, "", ""),
    ("no price", "/what-ifs", {"fixed_price": "x"}, "", ""),
    (
        "days upside down",
        "/what-ifs",
        {"from": "2026-10-20", "to": "2026-10-01", "fixed_price": "30"},
        "Das Ende liegt vor dem Anfang.",
        "The end lies before the beginning.",
    ),
    ("no such version", "/forecasts/promote", {"version": "oracle"}, "", ""),
    ("draft that is gone", "/ui/setup/0123456789abcdef/site", {"go": "next"}, "Diese Eingaben gibt es nicht mehr.", "not there any more."),
    ("no such site", "/ui/sites/nowhere/planning/vacation", {"on": "true"}, "Diesen Standort gibt es nicht", "There is no such site"),
]


@pytest.fixture(scope="module")
def row(database: Engine) -> Iterator[int]:
    with unit_of_work(database) as connection:
        site = describe_furnished(control=describe())
        furnish(connection, site, last=date(2026, 10, 27))
        plan_now(connection, site, SystemClock().now())
        sites.save(connection, describe_furnished("bare"))
        number = refuse_row(connection, "home", 7)
    yield number
    with unit_of_work(database) as connection:
        forget_furnished(connection, "home", "bare")


@pytest.fixture(scope="module")
def api(redis_url: str, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    settings: dict[str, Any] = {"data_folder": tmp_path_factory.mktemp("data"), "plan_timeout": timedelta(milliseconds=200)}
    with serve(Addresses(database_url=database_url, redis_url=redis_url), **settings) as client:
        yield client


def address(path: str, row: int) -> str:
    if path.startswith("/ui/"):
        return path
    return (f"/ui/sites/bare{path.removeprefix('bare:')}" if path.startswith("bare:") else f"{HOME}{path}").replace("ROW", str(row))


def read_alert(answer: httpx.Response) -> str:
    part = re.search(r'role="alert">(.*?)</section>', answer.text, re.DOTALL)
    assert part is not None, answer.text[:500]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r'<p class="small muted".*?</p>|<[^>]+>', " ", part[1])))


ENGLISH = re.compile(r"\b(the|is|at least|at most|there|choose|luna (manual|session|data)|POST)\b")


@each_row(("path", "form", "german", "english"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG])
def test_what_is_refused_is_said_in_the_reader_s_language_with_what_to_do(
    api: httpx.Client, row: int, path: str, form: dict[str, str], german: str, english: str
) -> None:
    told = {}
    for language in ("de", "en"):
        answer = api.post(address(path, row), data=form, headers={"Accept-Language": language})
        assert 400 <= answer.status_code < 600
        told[language] = read_alert(answer)
    assert german in told["de"]
    assert english in told["en"]
    assert not ENGLISH.search(told["de"]), told["de"]
    assert told["de"] != told["en"]


def test_a_file_that_is_none_is_refused_in_words(api: httpx.Client, row: int) -> None:
    parts = {"kind": (None, "observations")}
    told = [read_alert(api.post(f"{HOME}/data/uploads", files=parts, headers={"Accept-Language": language})) for language in ("de", "en")]
    assert "Es braucht genau eine Datei." in told[0]
    assert "It takes one file." in told[1]


def test_a_cost_that_cannot_be_said_is_no_error_and_says_why(api: httpx.Client, row: int) -> None:
    address = f"{HOME}/planning/cost"
    told = [api.get(address, params=BLOCK | PAST, headers={"Accept-Language": language, "HX-Request": "true"}).text for language in ("de", "en")]
    assert "Diese Zeit ist vorbei." in told[0]
    assert "This time has passed." in told[1]
