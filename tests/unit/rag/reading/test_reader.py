"""Questions of three languages are answered by the sentence or cell of their kind, or not."""

from services.rag.answering.evidence import gather_evidence
from services.rag.answering.reading.reader import read_answer
from services.rag.answering.sentences import detect_language
from tests.support.answers.inputs import passage
from tests.support.suite.tables import each_row

TARIFFS = passage(
    1,
    "Tariff | Day (ct/kWh) | Night (ct/kWh) | Minimum term\n"
    "FlexDay | 29.80 | 27.40 | none\n"
    "FlexNight | 34.60 | 19.20 | 12 months\n\n"
    "An early exit from FlexNight costs 65 EUR.",
    title="Tariff sheet",
)
FAULTS = passage(
    2,
    "Code | Cause | Remedy\n"
    "F31 | Insulation resistance too low | Call the installer\n"
    "F47 | Fan blocked | Clean the fan",
    title="Inverter manual",
)
CARE = passage(
    3,
    "Der Filter wird zweimal im Jahr gereinigt. Die Garantie läuft fünf Jahre. "
    "Schäden durch Frost sind nicht versichert. Eine Kontrolle ist mit Vertrag gratis. "
    "Ohne Vertrag kostet eine Kontrolle 145 Euro.",
    title="Wartungsvertrag",
)
PASSAGES = (TARIFFS, FAULTS, CARE)


def read(question: str) -> list[str]:
    evidence = gather_evidence(PASSAGES, None)
    answers = read_answer(question, evidence, detect_language(question, "de"))
    assert all(evidence.is_claimed(answer.text, [answer.number]) for answer in answers)
    return [answer.text for answer in answers]


@each_row(
    ("question", "answer"),
    [
        ("What does a kWh cost at night on FlexNight?", "FlexNight, Night: 19.20 ct/kWh"),
        ("Was kostet die Kilowattstunde nachts bei FlexDay?", "FlexDay, Night: 27.40 ct/kWh"),
        ("What is the minimum term of FlexNight?", "FlexNight, Minimum term: 12 months"),
        ("Was bedeutet Fehler F31?", "F31, Cause: Insulation resistance too low"),
        ("Wat moet ik doen bij foutcode F47?", "F47, Remedy: Clean the fan"),
        (
            "Hoe vaak moet het filter gereinigd worden?",
            "Der Filter wird zweimal im Jahr gereinigt.",
        ),
        ("How long is the warranty?", "Die Garantie läuft fünf Jahre."),
        # Another word of the topic, in the same language and in another.
        ("Wie oft muss ich den Filter putzen?", "Der Filter wird zweimal im Jahr gereinigt."),
        ("How often do I have to wash the filter?", "Der Filter wird zweimal im Jahr gereinigt."),
        ("Sind Schäden durch Frost versichert?", "Schäden durch Frost sind nicht versichert."),
        (
            "What does a check cost without a contract?",
            "Ohne Vertrag kostet eine Kontrolle 145 Euro.",
        ),
    ],
)
def test_the_sentence_or_cell_that_is_asked_for_answers(question: str, answer: str) -> None:
    assert read(question) == [answer]


def test_each_of_two_questions_in_a_sentence_is_answered_by_the_same_document() -> None:
    asked = "How often is the filter cleaned, and how long is the warranty?"
    assert read(asked) == [
        "Der Filter wird zweimal im Jahr gereinigt.",
        "Die Garantie läuft fünf Jahre.",
    ]


@each_row(
    "question",
    [
        "What does a kWh cost at night on FlexMoon?",
        "Was bedeutet Fehler F52?",
        "Sind Schäden durch Hagel versichert?",
        "How heavy is the inverter?",
        "Wann wird der Filter gereinigt?",
    ],
)
def test_another_row_subject_or_kind_of_value_does_not_answer(question: str) -> None:
    assert read(question) == []


def test_cells_of_one_row_that_answer_alike_are_read_together() -> None:
    assert read("What does a kWh cost on FlexNight?") == [
        "FlexNight, Day: 34.60 ct/kWh",
        "FlexNight, Night: 19.20 ct/kWh",
    ]
