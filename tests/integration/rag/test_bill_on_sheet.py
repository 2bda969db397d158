"""What past days would have cost on a tariff sheet, asked at the gateway in three languages."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine

from luna.energy.timeline import SLOT, Timeline
from luna.platform.database import observations
from luna.platform.database.engine import unit_of_work
from luna.platform.embedded.supervisor import Addresses
from tests.support.documents.passages import remove_documents, store_passages
from tests.support.gateway.server import serve
from tests.support.pages.random_home import ENERGIES, furnish_told
from tests.support.suite.tables import each_row
from tests.support.worker.workers import worker_process

SHEET = (
    "Der Arbeitspreis beträgt 30,00 ct/kWh. Der Nachtpreis beträgt 20,00 ct/kWh.\n"
    "Der Nachtpreis gilt von 22:00 bis 6:00 Uhr. Der Grundpreis beträgt 12,00 Euro pro Monat."
)
WITHOUT_BASE = "Der Arbeitspreis beträgt 30,00 ct/kWh."
# Local 1 April 2024 in Berlin.
DAY = Timeline(datetime(2024, 3, 31, 22, tzinfo=UTC), SLOT, 96)


@pytest.fixture(scope="module")
def gateway(
    redis_url: str, database_url: str, database: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A gateway and a worker with a home of some days and two tariff sheets."""
    folder: Path = tmp_path_factory.mktemp("sheets")
    with unit_of_work(database) as connection:
        furnish_told(connection)
        measured = dict.fromkeys(ENERGIES, np.zeros(96)) | {
            "import_kwh": np.full(96, 0.5),
            "load_kwh": np.full(96, 0.5),
        }
        observations.write(connection, "home", DAY.starts, measured)
    for title, text, dated in (
        ("Preisblatt Aare", SHEET, date(2024, 3, 1)),
        ("Preisblatt Reuss", WITHOUT_BASE, date(2023, 3, 1)),
    ):
        store_passages(database, title, [text], language="de", kind="tariff", dated=dated)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LUNA_DATA_FOLDER", str(folder))
        with worker_process(redis_url, database_url, "services.rag.tasks"):
            addresses = Addresses(database_url=database_url, redis_url=redis_url)
            with serve(addresses) as client:
                yield client
    remove_documents(database)


def ask(gateway: httpx.Client, question: str) -> dict[str, Any]:
    answer = gateway.post("/v1/answers", json={"question": question, "model": False})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


@each_row(
    ("question", "language"),
    [
        ("What would 1 April 2024 have cost on the Aare tariff sheet?", "en"),
        ("Was hätte der 1. April 2024 mit dem Preisblatt Aare gekostet?", "de"),
        ("Wat had ik op 1 april 2024 betaald met het nieuwe tariefblad?", "nl"),
        ("Wat had 1 april 2024 gekost met het tariefblad van Aare?", "nl"),
    ],
)
def test_a_bill_counts_recorded_energy_at_the_prices_of_a_sheet(
    gateway: httpx.Client, question: str, language: str
) -> None:
    answer = ask(gateway, question)
    assert (answer["language"], answer["refused"]) == (language, False), answer["answer"]
    assert [citation["title"] for citation in answer["citations"]] == ["Preisblatt Aare"]
    call = answer["tool_calls"][0]
    figures = {figure["name"]: figure["value"] for figure in call["figures"]}
    assert figures["energy_price"] == pytest.approx(0.30)
    assert figures["night_price"] == pytest.approx(0.20)
    # Eight hours of the night, sixteen of the day, each with two kWh.
    bought = 16 * 2 * 0.30 + 8 * 2 * 0.20
    assert figures["cost_on_sheet"] == pytest.approx(bought + 12 / 30, abs=1e-6)


def test_a_sheet_without_a_base_price_is_refused_with_the_reason(gateway: httpx.Client) -> None:
    answer = ask(gateway, "What would 1 April 2024 have cost on the Reuss tariff sheet?")
    assert answer["refused"]
    assert "names no base price" in answer["answer"]
