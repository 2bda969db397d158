"""Set-up begins with a file of evcc, EMHASS or Predbat: what became of it is shown first."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from luna.platform.database import setup_drafts, sites
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.database.databases import remove_site
from tests.support.gateway.server import serve
from tests.support.peer_import.samples import SAMPLES
from tests.support.words.wording import wording

IMPORTED_ID = "linz"
AUSTRIA = SAMPLES / "evcc" / "austria_spot.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the gateway keeps what is entered."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def gateway(redis_url: str, database_url: str, folder: Path) -> Iterator[httpx.Client]:
    addresses = Addresses(database_url=database_url, redis_url=redis_url)
    with serve(addresses, data_folder=folder, outside_services=False) as client:
        yield client


@pytest.fixture
def api(gateway: httpx.Client, database: Engine, folder: Path) -> Iterator[httpx.Client]:
    yield gateway
    remove_site(database, IMPORTED_ID)
    (folder / "settings.json").unlink(missing_ok=True)


def hand_over(api: httpx.Client, peer: str, content: bytes, language: str = "en") -> httpx.Response:
    return api.post(
        "/ui/setup/import",
        data={"peer": peer},
        files={"file": ("evcc.yaml", content)},
        headers={"Accept-Language": language},
    )


def store(api: httpx.Client, draft: str) -> httpx.Response:
    """Go through the steps of a draft as they are filled, and store its site."""
    return api.post(f"{draft}/review", data={"go": "next"})


def list_sites(database: Engine) -> list[str]:
    with unit_of_work(database) as connection:
        return [*sites.names(connection)]


def test_a_file_is_shown_before_anything_is_stored(api: httpx.Client, database: Engine) -> None:
    assert "/ui/setup/import" in api.get("/ui/setup").text
    assert "evcc.yaml" in api.get("/ui/setup/import").text
    sent = hand_over(api, "evcc", AUSTRIA.read_bytes())
    assert sent.status_code == 303
    address = sent.headers["Location"]
    page = unescape(api.get(address, headers={"Accept-Language": "de"}).text)
    assert wording("import_notes", "status_not_understood", "de") in page
    assert "meters.1.maxacpower" in page
    assert "solar-secret-two" not in page
    assert IMPORTED_ID not in list_sites(database)
    draft = address.removesuffix("/import")
    with unit_of_work(database) as connection:
        answers = setup_drafts.load(connection, draft.rpartition("/")[2])
    assert "secret" not in str(answers).replace("'secret'", "")
    assert "pass-in-address" not in str(answers)


def test_an_imported_home_is_stored_with_what_setup_does_not_ask_for(
    api: httpx.Client, database: Engine
) -> None:
    draft = hand_over(api, "evcc", AUSTRIA.read_bytes()).headers["Location"].removesuffix("/import")
    for step in ("site", "devices", "tariff", "data"):
        assert api.get(f"{draft}/{step}?check=1").status_code == 200
    stored = store(api, draft)
    assert (stored.status_code, stored.headers.get("Location")) == (303, f"{draft}/plan")
    site = api.get(f"/v1/sites/{IMPORTED_ID}").json()
    assert (site["timezone"], site["tariff"]["import"]["market"]) == ("Europe/Vienna", "AT")
    assert [roof["peak_kw"] for roof in site["pv"]] == [6.4, 3.2]
    assert site["vehicles"][0]["charger"]["max_current_a"] == 20.0
    assert site["grid"]["circuits"] == [{"name": "garage", "fuse_a": 25.0}]
    assert site["control"]["vehicles"][0]["via"]["profile"] == "keba_p30"
    assert site["input_sensors"]["total_pv_production"][0].startswith("profile:fronius_gen24@")


def test_an_answer_changes_what_was_imported(api: httpx.Client) -> None:
    draft = hand_over(api, "evcc", AUSTRIA.read_bytes()).headers["Location"].removesuffix("/import")
    typed = {"name": "Linz", "place": "AT:Linz", "yearly_kwh": "4200", "go": "next"}
    assert api.post(f"{draft}/site", data=typed).status_code == 303
    assert store(api, draft).headers["Location"] == f"{draft}/plan"
    site = api.get(f"/v1/sites/{IMPORTED_ID}").json()
    assert site["household"]["yearly_kwh"] == 4200
    assert [roof["peak_kw"] for roof in site["pv"]] == [6.4, 3.2]


def test_another_method_for_the_battery_loses_no_imported_charger(api: httpx.Client) -> None:
    draft = hand_over(api, "evcc", AUSTRIA.read_bytes()).headers["Location"].removesuffix("/import")
    shown = unescape(api.get(f"{draft}/control").text)
    assert "10.0.0.40" in shown
    # Only the method of the battery is sent.
    answer = api.post(f"{draft}/control", data={"by": "advice", "go": "next"})
    assert answer.headers["Location"] == f"{draft}/review"
    assert store(api, draft).headers["Location"] == f"{draft}/plan"
    control = api.get(f"/v1/sites/{IMPORTED_ID}").json()["control"]
    assert control["by"] == "profile"
    assert control["batteries"] == []
    [charger] = control["vehicles"]
    assert charger["via"]["profile"] == "keba_p30"


@pytest.mark.parametrize("language", ["en", "de", "nl"])
def test_a_bad_file_is_refused_in_the_readers_language(api: httpx.Client, language: str) -> None:
    refused = hand_over(api, "evcc", b"site:\n\ttitle: x\n", language)
    assert refused.status_code == 422
    assert wording("refusals", "sentence_peer-file-tab", language, line="2") in unescape(
        refused.text
    )


@pytest.mark.parametrize(
    ("peer", "content", "status"),
    [
        ("other", b"site: {title: A}", 422),
        ("predbat", b"site: {title: A}", 422),
        ("evcc", b"", 422),
        ("evcc", b"site: " + b"x" * 310_000, 422),
        ("evcc", b"x" * 33_000_000, 413),
    ],
    ids=["another program", "another program's file", "empty", "large", "too large a form"],
)
def test_what_is_no_file_of_the_program_is_refused(
    api: httpx.Client, peer: str, content: bytes, status: int
) -> None:
    assert hand_over(api, peer, content).status_code == status


def test_a_form_without_a_file_is_refused(api: httpx.Client) -> None:
    assert api.post("/ui/setup/import", data={"peer": "evcc"}).status_code == 422
    draft = api.post("/ui/setup", data={"kind": "site"}).headers["Location"].removesuffix("/site")
    assert api.get(f"{draft}/import").status_code in {404, 422}
