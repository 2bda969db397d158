"""The row of a table with the highest or lowest value, asked for by a superlative."""

from services.rag.answering.evidence import gather_evidence
from services.rag.answering.reading.reader import read_answer
from services.rag.answering.sentences import detect_language
from tests.support.answers.inputs import passage
from tests.support.suite.tables import each_row

TARIFFS = (
    "| Tarif | Nachtpreis (ct/kWh) | Tagpreis (ct/kWh) | Laufzeit |\n"
    "|---|---|---|---|\n"
    "| Aare Eins | 24,10 | 31,50 | 12 Monate |\n"
    "| Aare Zwei | 22,80 | 33,20 | 36 Monate |\n"
    "| Aare Drei | 27,40 | 29,90 | 24 Monate |"
)
OPEN_TERM = TARIFFS.replace("36 Monate", "unbefristet")


def read(question: str, text: str) -> list[str]:
    evidence = gather_evidence([passage(1, text, title="Preisblatt Aare")], None)
    return [answer.text for answer in read_answer(question, evidence, detect_language(question))]


@each_row(
    ("question", "answer"),
    [
        ("Welcher Tarif ist nachts am billigsten?", "Aare Zwei, Nachtpreis: 22,80 ct/kWh"),
        ("Which tariff is the most expensive at night?", "Aare Drei, Nachtpreis: 27,40 ct/kWh"),
        ("Welk tarief is overdag het goedkoopst?", "Aare Drei, Tagpreis: 29,90 ct/kWh"),
        ("Welcher Tarif hat die längste Laufzeit?", "Aare Zwei, Laufzeit: 36 Monate"),
        ("Which tariff has the shortest term?", "Aare Eins, Laufzeit: 12 Monate"),
    ],
)
def test_a_superlative_is_answered_by_the_row_of_its_column(question: str, answer: str) -> None:
    assert read(question, TARIFFS) == [answer]


def test_of_rows_that_cannot_be_compared_none_is_the_longest() -> None:
    assert read("Welcher Tarif hat die längste Laufzeit?", OPEN_TERM) == []
