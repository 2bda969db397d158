"""Questions for a price that is not published yet. Today is Sunday, 29 November 2026, in Berlin."""

from datetime import UTC, datetime
from typing import Any

from luna.energy.site import parse_site
from services.rag.tools.understanding import match_ahead, match_question
from tests.support.pages.random_home import PARTS
from tests.support.suite.tables import each_row

SITE = parse_site({"name": "home"} | PARTS)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def ahead(first: str, last: str | None = None, price: str = "import") -> dict[str, Any]:
    return {"price": price, "first_day": first, "last_day": last or first}


def year(number: int, price: str = "import") -> dict[str, Any]:
    return ahead(f"{number}-01-01", f"{number}-12-31", price)


SEPTEMBER = ahead("2027-09-01", price="export")
CONTRACT_IMPORT = {"price": "import", "after_contract": True}
CONTRACT_EXPORT = {"price": "export", "after_contract": True}
QUESTIONS: list[tuple[str, dict[str, Any]]] = [
    ("Feed-in price after 31 August 2027", SEPTEMBER),
    ("What is my feed-in price after August 2027?", SEPTEMBER),
    ("What do I get for a fed-in kWh from 1 September 2027?", SEPTEMBER),
    ("What will the feed-in price be in 2027?", year(2027, "export")),
    ("What will I be paid for feed-in next year?", year(2027, "export")),
    ("What will electricity cost next year?", year(2027)),
    ("How expensive will electricity be next month?", ahead("2026-12-01", "2026-12-31")),
    ("What will the electricity price be in March?", ahead("2027-03-01", "2027-03-31")),
    ("What will the electricity price be on 5 March?", ahead("2027-03-05")),
    ("What is the import price on 1 January 2028?", ahead("2028-01-01")),
    ("Electricity price in 2028", year(2028)),
    ("How expensive is electricity in summer 2027?", ahead("2027-06-01", "2027-08-31")),
    ("What will the price be in three weeks?", ahead("2026-12-20")),
    ("spot price on 5 January 2027", ahead("2027-01-05", price="spot")),
    ("What are the grid fees in 2027?", year(2027, "grid")),
    ("What is my electricity price after the contract ends?", CONTRACT_IMPORT),
    ("What happens to the feed-in price when the contract ends?", CONTRACT_EXPORT),
    ("What do I get for feed-in after the subsidy ends?", CONTRACT_EXPORT),
    ("Einspeisepreis nach dem 31. August 2027", SEPTEMBER),
    ("Wie hoch ist die Einspeisevergütung ab September 2027?", SEPTEMBER),
    ("Was bekomme ich nächstes Jahr für eingespeisten Strom?", year(2027, "export")),
    ("Was kostet der Strom nächstes Jahr?", year(2027)),
    ("Wie teuer wird der Strom im übernächsten Jahr?", year(2028)),
    ("Wie hoch wird der Strompreis im Sommer sein?", ahead("2027-06-01", "2027-08-31")),
    ("Was kostet der Strom in zwei Wochen?", ahead("2026-12-13")),
    ("Wie hoch ist der Strompreis nach Vertragsende?", CONTRACT_IMPORT),
    ("Welche Einspeisevergütung bekomme ich, wenn die Förderung ausläuft?", CONTRACT_EXPORT),
    ("Wie hoch sind die Netzentgelte 2027?", year(2027, "grid")),
    ("Terugleverprijs na 31 augustus 2027", SEPTEMBER),
    ("Hoeveel krijg ik volgend jaar voor teruglevering?", year(2027, "export")),
    ("Wat kost stroom volgend jaar?", year(2027)),
    ("Wat is de stroomprijs in maart 2027?", ahead("2027-03-01", "2027-03-31")),
    ("Wat kost stroom na het einde van het contract?", CONTRACT_IMPORT),
    ("Wat zijn de nettarieven in 2027?", year(2027, "grid")),
]


@each_row("question, arguments", QUESTIONS)
def test_a_price_to_come_is_asked_of_documents_first_and_then_of_the_tariff(
    question: str, arguments: dict[str, Any]
) -> None:
    assert match_question(question, site=SITE, now=NOW) == []
    calls = match_ahead(question, site=SITE, now=NOW)
    assert [(call.tool, call.arguments) for call in calls] == [("price_course", arguments)]


@each_row(
    ("question", "arguments"),
    [
        ("What will electricity cost in winter 2027?", ahead("2027-06-01", "2027-08-31")),
        ("Was kostet der Strom im Sommer 2027?", ahead("2027-12-01", "2028-02-29")),
        ("How expensive is electricity in autumn 2027?", ahead("2027-03-01", "2027-05-31")),
        ("Wat kost stroom in de lente 2027?", ahead("2027-09-01", "2027-11-30")),
    ],
)
def test_seasons_are_those_of_the_home_s_side_of_the_equator(
    question: str, arguments: dict[str, Any]
) -> None:
    place = {"location": {"latitude": -33.87, "longitude": 151.21}}
    sydney = parse_site({"name": "home"} | PARTS | place)
    calls = match_ahead(question, site=sydney, now=NOW)
    assert [call.arguments for call in calls] == [arguments]


@each_row(
    "question",
    [
        "What was the feed-in price last year?",
        "What was the electricity price in March?",
        "Strompreis im März",
        "Wie hoch ist der Strompreis morgen?",
        "What are the prices from tomorrow on?",
        "What does electricity cost today?",
        "What will a new battery cost next year?",
        "How much will we export next year?",
        "Wie viel PV kommt im Sommer 2027?",
        "When does my contract end?",
        "Wat was de stroomprijs in 2025?",
        "How do I cancel my contract?",
        "",
    ],
)
def test_what_is_no_price_to_come_is_left_to_others(question: str) -> None:
    assert match_ahead(question, site=SITE, now=NOW) == []
