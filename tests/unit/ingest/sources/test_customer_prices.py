"""What services say of their own customers' prices: ESIOS, smartENERGY and Ostrom.

Shapes as their public clients read them; 29 March 2026 has 23 hours, 25 October 25.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest

from luna.energy.timeline import local_day
from services.ingest.sources.prices.esios import Esios
from services.ingest.sources.prices.ostrom import Ostrom
from services.ingest.sources.prices.smart_energy import SmartEnergy
from services.ingest.sources.source import PriceSheet, PriceSource, SourceError, SourceRefusedError
from services.ingest.sources.web import Web
from tests.support.gateway.outside_service import Service, document, recorded
from tests.support.suite.tables import each_row

VIENNA = ZoneInfo("Europe/Vienna")
START = datetime(2026, 3, 28, 23, tzinfo=UTC)
END = datetime(2026, 3, 29, 22, tzinfo=UTC)
LATER = START + timedelta(hours=1)
Rows = Sequence[tuple[datetime, float | None]]


def esios_answer(rows: Rows) -> dict[str, Any]:
    values = [
        {"value": price, "datetime_utc": f"{start:%Y-%m-%dT%H:%M:%SZ}", "geo_id": 8741}
        for start, price in rows
    ]
    return {"indicator": {"id": 1001, "values": values}}


def smart_energy_answer(rows: Rows) -> dict[str, Any]:
    # 10 EUR/MWh is 1 ct/kWh.
    data = [
        {
            "date": start.astimezone(VIENNA).isoformat(),
            "value": None if price is None else price / 10,
        }
        for start, price in rows
    ]
    return {"tariff": "EPEXSPOTAT", "unit": "ct/kWh", "interval": 15, "data": data}


def ostrom_answer(rows: Rows) -> dict[str, Any]:
    data = [
        {"date": f"{start:%Y-%m-%dT%H:%M:%S.000Z}", "netMwhPrice": price} for start, price in rows
    ]
    return {"data": data}


@dataclass(frozen=True)
class Case:
    """A source: how it answers prices per MWh, and before that."""

    market: str
    minutes: int
    open: Callable[[Web], PriceSource]
    answer: Callable[[Rows], dict[str, Any]]
    before: Sequence[httpx.Response] = ()

    def fetch(
        self, said: dict[str, Any], first: datetime = START, end: datetime = END
    ) -> list[PriceSheet]:
        service = Service(*self.before, document(said))
        return self.open(web(service)).fetch(self.market, first, end)


CASES = {
    "esios": Case("ES-PVPC", 60, lambda way: Esios(way, "key"), esios_answer),
    "smart_energy": Case("AT-SMARTENERGY", 15, SmartEnergy, smart_energy_answer),
    "ostrom": Case(
        "DE-LU",
        60,
        lambda way: Ostrom(way, "id:secret"),
        ostrom_answer,
        [recorded("ostrom_access.json", status=201)],
    ),
}
EACH = each_row("case", CASES.values(), ids=list(CASES))


def web(service: Service) -> Web:
    return Web("service", service, sleep=service.wait)


def read(sheet: PriceSheet) -> list[tuple[str, float]]:
    return [
        (str(start)[11:16], round(float(price), 6))
        for start, price in zip(sheet.starts, sheet.price, strict=True)
    ]


def test_esios_tells_the_regulated_price_of_the_peninsula() -> None:
    service = Service(recorded("esios.json"))
    (sheet,) = Esios(web(service), "key").fetch("ES-PVPC", START, END)
    # 127.43 EUR/MWh is 0.12743 EUR/kWh; those of Ceuta are left out.
    assert read(sheet) == [("23:00", 0.12743), ("00:00", -0.0025)]
    assert (sheet.market, sheet.currency, sheet.minutes) == ("ES-PVPC", "EUR", 60)
    assert service.asked[0].headers["x-api-key"] == "key"
    assert dict(service.asked[0].url.params) == {
        "start_date": "2026-03-28T23:00:00Z",
        "end_date": "2026-03-29T22:00:00Z",
        "geo_ids[]": "8741",
    }


def test_smart_energy_tells_quarter_hours_with_tax() -> None:
    service = Service(recorded("smart_energy.json"))
    (sheet,) = SmartEnergy(web(service)).fetch("AT-SMARTENERGY", START, END)
    # 17.824 ct/kWh is 0.17824 EUR/kWh, VAT within.
    assert read(sheet) == [("23:00", 0.17824), ("23:15", -0.0042), ("23:30", 0.0)]
    assert (sheet.currency, sheet.minutes) == ("EUR", 15)


def test_ostrom_tells_the_exchanges_hours_for_an_access_token() -> None:
    service = Service(recorded("ostrom_access.json", status=201), recorded("ostrom.json"))
    (sheet,) = Ostrom(web(service), "id:secret").fetch("DE-LU", START, END)
    assert read(sheet) == [("23:00", 0.09279), ("00:00", -0.0035)]
    assert (sheet.currency, sheet.minutes) == ("EUR", 60)
    access, prices = service.asked
    assert access.headers["authorization"] == f"Basic {b64encode(b'id:secret').decode()}"
    assert access.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (access.method, access.content) == ("POST", b"grant_type=client_credentials")
    assert prices.headers["authorization"] == "Bearer for-an-hour"
    assert dict(prices.url.params) == {
        "startDate": "2026-03-28T23:00:00.000Z",
        "endDate": "2026-03-29T22:00:00.000Z",
        "resolution": "HOUR",
    }


def test_ostrom_needs_one_access_token_for_a_long_window() -> None:
    empty = document({"data": []})
    service = Service(recorded("ostrom_access.json", status=201), empty)
    assert Ostrom(web(service), "id:secret").fetch("DE-LU", START, END + timedelta(400)) == []
    assert [request.method for request in service.asked] == ["POST", "GET", "GET", "GET"]


def test_ostrom_refuses_prices_without_telling_the_secret() -> None:
    service = Service(recorded("ostrom_access.json"), httpx.Response(403))
    with pytest.raises(SourceRefusedError) as refusal:
        Ostrom(web(service), "id:secret").fetch("DE-LU", START, END)
    assert "secret" not in str(refusal.value)


@EACH
@each_row("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["23 hours", "25 hours"])
def test_a_day_on_which_clocks_change_has_its_own_number_of_products(case: Case, day: date) -> None:
    products = local_day(day, VIENNA, timedelta(minutes=case.minutes))
    said = case.answer([(start, 10.0 * place) for place, start in enumerate(products)])
    (sheet,) = case.fetch(said, products.start, products.end)
    assert sheet.minutes == case.minutes
    assert sheet.starts.tolist() == [start.replace(tzinfo=None) for start in products]
    # In order of time, also through the hour that is shown twice.
    assert np.allclose(sheet.price, 0.01 * np.arange(len(products)))


@EACH
def test_an_answer_without_prices_has_none(case: Case) -> None:
    assert case.fetch(case.answer([])) == []
    assert case.fetch(case.answer([(START, None), (LATER, None)])) == []


@EACH
def test_half_a_day_and_its_holes_stay_as_they_are(case: Case) -> None:
    steps = [START + place * timedelta(minutes=case.minutes) for place in (0, 1, 2, 5)]
    (sheet,) = case.fetch(case.answer([(start, 50.0) for start in steps]))
    assert sheet.minutes == case.minutes
    assert sheet.starts.tolist() == [start.replace(tzinfo=None) for start in steps]


@EACH
def test_what_lies_outside_the_window_is_left_out(case: Case) -> None:
    hours = [START + hour * timedelta(hours=1) for hour in range(-2, 4)]
    said = case.answer([(start, 50.0) for start in hours])
    (sheet,) = case.fetch(said, START, START + timedelta(hours=2))
    assert sheet.starts.tolist() == [start.replace(tzinfo=None) for start in hours[2:4]]


@EACH
def test_of_doubled_rows_the_later_one_counts(case: Case) -> None:
    step = timedelta(minutes=case.minutes)
    said = case.answer([(START, 10.0), (START + step, 20.0), (START, 10.0), (START + step, 30.0)])
    (sheet,) = case.fetch(said)
    assert sheet.minutes == case.minutes
    assert np.allclose(sheet.price, [0.01, 0.03])


@each_row(
    "name, change",
    [
        ("smart_energy", {"unit": "EUR/MWh"}),
        ("smart_energy", {"interval": 60}),
        ("smart_energy", {"interval": 7}),
        ("smart_energy", {"data": [{"date": "2026-03-29T00:00:00", "value": 1.0}]}),
        ("smart_energy", {"data": None}),
        ("esios", {"indicator": {"id": 600, "values": []}}),
        ("esios", {"indicator": {"id": 1001}}),
        ("ostrom", {"data": [{"date": "2026-03-29T00:00Z", "netMwhPrice": 9, "netKwhPrice": 9}]}),
        ("ostrom", {"data": [{"date": "2026-03-29T00:00Z", "netMwhPrice": "dear"}]}),
        ("ostrom", {"data": [{"date": "2026-03-29T00:07Z", "netMwhPrice": 9.0}]}),
    ],
    ids=[
        "another unit",
        "longer than apart",
        "odd products",
        "no zone",
        "no list",
        "another indicator",
        "no values",
        "two prices",
        "no number",
        "off the grid",
    ],
)
def test_an_answer_that_contradicts_itself_is_not_believed(
    name: str, change: dict[str, Any]
) -> None:
    case = CASES[name]
    step = timedelta(minutes=case.minutes)
    with pytest.raises(SourceError):
        case.fetch(case.answer([(START, 10.0), (START + step, 20.0)]) | change)
