"""What the price services of one country or grid say, and what it comes to.

Shapes as the services document them; in Europe 29 March 2026 has 23 hours and 25 October 25, in
Chicago 8 March and 1 November.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from luna.energy.timeline import SLOT, Timeline, local_day
from services.ingest.sources.prices.comed import ComEd
from services.ingest.sources.prices.energinet import Energinet
from services.ingest.sources.prices.omie import Omie
from services.ingest.sources.source import PriceSheet, SourceError
from tests.support.gateway.outside_service import REPLIES, Service, document, recorded
from tests.support.gateway.price_replies import rows, web
from tests.support.suite.tables import each_row

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
MADRID = ZoneInfo("Europe/Madrid")
CHICAGO = ZoneInfo("America/Chicago")
SPRING = date(2026, 3, 29)
AUTUMN = date(2026, 10, 25)
START = datetime(2026, 3, 28, 23, tzinfo=UTC)
END = datetime(2026, 3, 29, 22, tzinfo=UTC)
CLOCK_DAYS = pytest.mark.parametrize("day", [SPRING, AUTUMN], ids=["23 hours", "25 hours"])


def starts_of(sheet: PriceSheet) -> list[datetime]:
    return [start.replace(tzinfo=UTC) for start in sheet.starts.tolist()]


def test_energinet_tells_quarter_hours_in_euros_or_kroner() -> None:
    service = Service(recorded("energinet.json"))
    (euros,) = Energinet(web(service)).fetch("DK1", START, END)
    assert rows([euros]) == [
        ("23:00", 0.08421),
        ("23:15", -0.0035),
        ("23:30", 0.01204),
        ("23:45", 0.0),
    ]
    assert (euros.currency, euros.minutes, euros.published_at) == ("EUR", 15, None)
    (kroner,) = Energinet(web(service), "DKK").fetch("DK1", START, END)
    # 23:30 has no rate of exchange yet.
    assert rows([kroner]) == [("23:00", 0.62907), ("23:15", -0.02615), ("23:45", 0.0)]
    assert kroner.currency == "DKK"


def test_energinet_is_asked_for_whole_danish_days_without_a_limit() -> None:
    service = Service(document({"records": []}))
    noon = START + timedelta(hours=12)
    assert Energinet(web(service)).fetch("DK2", noon, noon + timedelta(days=1)) == []
    asked = dict(service.asked[0].url.params)
    assert json.loads(asked["filter"]) == {"PriceArea": ["DK2"]}
    assert (asked["start"], asked["end"], asked["limit"]) == ("2026-03-29", "2026-03-31", "0")


def energinet_record(start: datetime, price: float = 1.0, /, **change: object) -> dict[str, object]:
    return {
        "TimeUTC": start.astimezone(UTC).replace(tzinfo=None).isoformat(),
        "PriceArea": "DK1",
        "DayAheadPriceEUR": price,
        "DayAheadPriceDKK": 7.46 * price,
    } | change


@CLOCK_DAYS
def test_energinet_has_each_quarter_hour_of_a_day_on_which_clocks_change(day: date) -> None:
    slots = local_day(day, COPENHAGEN)
    said = {"records": [energinet_record(start) for start in slots]}
    (sheet,) = Energinet(web(Service(document(said)))).fetch("DK1", slots.start, slots.end)
    assert starts_of(sheet) == list(slots)


def test_energinet_tells_half_a_day_and_the_later_of_two_prices() -> None:
    records = [energinet_record(START + quarter * SLOT) for quarter in range(48)]
    records.append(energinet_record(START, 2.0))
    service = Service(document({"records": records}))
    (sheet,) = Energinet(web(service)).fetch("DK1", START, END)
    assert len(sheet.starts) == 48
    assert rows([sheet])[:2] == [("23:00", 0.002), ("23:15", 0.001)]


@each_row(
    "change",
    [
        {"PriceArea": "SE3"},
        {"TimeUTC": "2026-03-28T23:07:00"},
        {"TimeUTC": "2026-03-28T23:00:00+01:00"},
        {"DayAheadPriceEUR": "dear"},
    ],
    ids=["another area", "off the grid", "another clock", "no number"],
)
def test_energinet_is_not_believed_where_it_contradicts_itself(change: dict[str, object]) -> None:
    said = {"records": [energinet_record(START, **change)]}
    with pytest.raises(SourceError):
        Energinet(web(Service(document(said)))).fetch("DK1", START, END)


def omie_file(day: date, count: int) -> bytes:
    """Return a day's file: Portugal's price is the period's number, Spain's ten times that."""
    lines = [f"{day:%Y;%m;%d};{period};{period};{10 * period};" for period in range(1, count + 1)]
    return "\n".join(["MARGINALPDBC;", *lines, "*"]).encode()


def omie(*versions: bytes) -> Service:
    """Return the service with these versions of each day's file."""
    files = [httpx.Response(200, content=content) for content in versions]
    return Service(*files, httpx.Response(404))


def test_omie_tells_the_prices_of_both_countries() -> None:
    file = (REPLIES / "omie.txt").read_bytes()
    (spain,) = Omie(web(omie(file))).fetch("ES", START, END)
    (portugal,) = Omie(web(omie(file))).fetch("PT", START, END)
    # 83 and 84.5 EUR/MWh in the fourth quarter-hour.
    assert rows([spain])[2:5] == [("23:30", 0.046), ("23:45", 0.083), ("00:00", 0.07)]
    assert rows([portugal])[2:5] == [("23:30", 0.046), ("23:45", 0.0845), ("00:00", 0.07)]
    assert (spain.currency, spain.minutes, spain.published_at) == ("EUR", 15, None)


def test_omie_is_asked_day_by_day_and_has_nothing_for_a_day_that_is_not_out() -> None:
    service = omie(omie_file(SPRING, 92))
    sheets = Omie(web(service)).fetch("ES", START, END + timedelta(days=1))
    assert sum(len(sheet.starts) for sheet in sheets) == 92
    assert [request.url.params["filename"] for request in service.asked] == [
        "marginalpdbc_20260329.1",
        "marginalpdbc_20260329.2",
        "marginalpdbc_20260330.1",
    ]
    assert service.asked[0].url.params["parents"] == "marginalpdbc"


def test_the_later_version_of_a_file_from_omie_is_valid() -> None:
    service = omie(omie_file(SPRING, 92), (REPLIES / "omie.txt").read_bytes())
    assert rows(Omie(web(service)).fetch("ES", START, END))[0] == ("23:00", 0.072)


@each_row("day, hours", [(SPRING, 23), (AUTUMN, 25), (date(2026, 6, 1), 24)])
@each_row("minutes", [15, 60])
def test_omie_counts_periods_from_midnight_in_madrid(day: date, hours: int, minutes: int) -> None:
    step = timedelta(minutes=minutes)
    slots = local_day(day, MADRID, step)
    count = hours * 60 // minutes
    (sheet,) = Omie(web(omie(omie_file(day, count)))).fetch("PT", slots.start, slots.end)
    assert sheet.minutes == minutes
    assert starts_of(sheet) == list(slots)
    assert (sheet.price * 1_000).round().tolist() == list(range(1, count + 1))


def test_a_doubled_line_from_omie_counts_once() -> None:
    file = omie_file(SPRING, 92)
    doubled = file.replace(b"\n*", b"\n2026;03;29;92;92;920;\n*")
    (sheet,) = Omie(web(omie(doubled))).fetch("ES", START, END)
    assert len(sheet.starts) == 92


@each_row(
    "content",
    [
        b"",
        b"<html>maintenance</html>",
        omie_file(SPRING, 46),
        omie_file(SPRING, 96),
        omie_file(AUTUMN, 100),
        omie_file(SPRING, 92).replace(b";1;1;10;", b";93;1;10;"),
        omie_file(SPRING, 92).replace(b";1;1;10;", b";1;1;dear;"),
        omie_file(SPRING, 92).replace(b"2026;03;29;1;1;10;", b"29/03/2026;1;10;1;"),
    ],
    ids=[
        "empty",
        "HTML",
        "half a day",
        "another day's length",
        "another day",
        "a gap",
        "no number",
        "another report",
    ],
)
def test_a_file_from_omie_that_is_not_the_whole_day_is_not_believed(content: bytes) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        Omie(web(omie(content))).fetch("ES", START, END)


def test_comed_tells_the_mean_of_each_whole_quarter_hour_in_dollars() -> None:
    service = Service(recorded("comed.json"))
    (sheet,) = ComEd(web(service)).fetch("US-COMED", START, END)
    # 2.8, 1.9 and 2.5 cents; -0.5, 0.9 and 1.1; at 00:05 there is none.
    assert rows([sheet]) == [("23:30", 0.024), ("23:45", 0.005)]
    assert (sheet.currency, sheet.minutes, sheet.published_at) == ("USD", 15, None)


def comed_feed(slots: Timeline, price: Callable[[int], str]) -> httpx.Response:
    """Return the feed of some five minutes, the newest first."""
    said = [
        {"millisUTC": str(int(start.timestamp() * 1_000)), "price": price(number)}
        for number, start in enumerate(slots)
    ]
    return document(said[::-1])


@each_row(
    "day, asked",
    [
        (date(2026, 3, 8), ("202603072200", "202603090200")),
        (date(2026, 11, 1), ("202610312200", "202611020200")),
    ],
    ids=["23 hours", "25 hours"],
)
def test_comed_has_each_quarter_hour_of_a_day_on_which_clocks_change(
    day: date, asked: tuple[str, str]
) -> None:
    slots = local_day(day, CHICAGO)
    fine = local_day(day, CHICAGO, timedelta(minutes=5))
    # Two hours more on both sides, which are cut off.
    around = Timeline(fine.start - timedelta(hours=2), fine.step, fine.count + 48)
    service = Service(comed_feed(around, lambda number: f"{number}.0"))
    (sheet,) = ComEd(web(service)).fetch("US-COMED", slots.start, slots.end)
    assert starts_of(sheet) == list(slots)
    # The day's first five minutes are number 24: its first quarter-hour has the mean of 24 to 26.
    assert (sheet.price * 100).round(6).tolist() == [25.0 + 3 * slot for slot in range(slots.count)]
    parameters = service.asked[0].url.params
    assert (parameters["datestart"], parameters["dateend"]) == asked


def test_comed_has_nothing_before_anything_is_over() -> None:
    assert ComEd(web(Service(document([])))).fetch("US-COMED", START, END) == []


def test_a_doubled_price_of_comed_does_not_stand_for_a_missing_one() -> None:
    said = json.loads((REPLIES / "comed.json").read_bytes())
    service = Service(document([*said, said[0]]))
    assert len(rows(ComEd(web(service)).fetch("US-COMED", START, END))) == 2


@each_row(
    "said",
    [
        {"millisUTC": "1774740600000", "price": "2.8"},
        [{"millisUTC": "1774740600000"}],
        [{"millisUTC": "1774740600000", "price": "n/a"}],
        [{"millisUTC": "1774740660000", "price": "2.8"}],
    ],
    ids=["no list", "no price", "no number", "off the grid"],
)
def test_comed_is_not_believed_where_it_says_what_it_does_not_document(said: object) -> None:
    with pytest.raises(SourceError):
        ComEd(web(Service(document(said)))).fetch("US-COMED", START, END)
