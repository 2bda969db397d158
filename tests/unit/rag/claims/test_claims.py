"""Claims of sentences against what a passage says, in three languages."""

from hypothesis import given
from hypothesis import strategies as st

from services.rag.answering.claims.check import is_claimed
from services.rag.answering.claims.number_words import read_number_word
from services.rag.answering.claims.statements import list_statements
from services.rag.answering.sentences import split_sentences
from tests.support.suite.tables import each_row

CONTRACT = (
    "Der Vertrag kann mit einer Frist von vier Wochen zum Monatsende gekündigt werden. "
    "Er kann innerhalb von zwei Wochen widerrufen werden. "
    "Der Grundpreis beträgt 120 Euro pro Jahr, der Arbeitspreis 28,5 ct/kWh."
)
FAULTS = "Code | Meaning\nE02 | Low water pressure\nE15 | Fan blocked"
LETTER = "The fee rises from 20 to 40 euros a year. You must not open the case. Call us at noon."
METER = "In maart was het verbruik hoger dan in april. De kabel is ten hoogste zeven meter lang."


@each_row(
    ("word", "number"),
    [
        ("zwölf", 12),
        ("anderthalb", 1.5),
        ("dozijn", 12),
        ("einundzwanzig", 21),
        ("tweeëntwintig", 22),
        ("twenty-four", 24),
        ("dreihundertfünfzig", 350),
        ("Haus", None),
    ],
)
def test_numbers_are_read_from_words(word: str, number: float | None) -> None:
    assert read_number_word(word) == number


@each_row(
    ("source", "sentence", "claimed"),
    [
        (CONTRACT, "Die Kündigungsfrist beträgt 4 Wochen zum Monatsende.", True),
        (CONTRACT, "Die Kündigungsfrist beträgt 28 Tage zum Monatsende.", True),
        (CONTRACT, "Der Vertrag kann höchstens 14 Tage widerrufen werden.", False),
        (CONTRACT, "Der Vertrag kann innerhalb von 14 Tagen widerrufen werden.", True),
        (CONTRACT, "Der Vertrag kann nicht widerrufen werden.", False),
        (CONTRACT, "Die Kündigungsfrist beträgt zwölf Wochen zum Monatsende.", False),
        (CONTRACT, "Die Kündigungsfrist beträgt vier Wochen zum Jahresende.", False),
        (CONTRACT, "Der Grundpreis beträgt 120 € im Jahr.", True),
        (CONTRACT, "Der Grundpreis beträgt 120 € im Monat.", False),
        (CONTRACT, "Der Arbeitspreis beträgt 120 € im Jahr.", False),
        (CONTRACT, "Der Arbeitspreis beträgt 0,285 Euro pro kWh.", True),
        (FAULTS, "E15 means that the fan is blocked.", True),
        (FAULTS, "E02 means that the fan is blocked.", False),
        (LETTER, "The fee is 40 euros per year.", True),
        (LETTER, "The fee is 20 euros per year.", False),
        (LETTER, "The fee rises from 40 to 20 euros.", False),
        (LETTER, "The case must not be opened.", True),
        (LETTER, "You may open the case.", False),
        (METER, "In april was het verbruik lager dan in maart.", True),
        (METER, "In april was het verbruik hoger dan in maart.", False),
        (METER, "De kabel is maximaal 7 meter lang.", True),
        (METER, "De kabel is minstens zeven meter lang.", False),
    ],
)
def test_a_sentence_passes_only_with_its_claims_in_the_source(
    source: str, sentence: str, claimed: bool
) -> None:
    statements = list_statements(split_sentences(source), "")
    assert is_claimed(sentence, statements) == claimed


@given(st.text(min_size=1).filter(lambda text: bool(text.strip(" .!\n\t"))))
def test_any_text_claims_what_it_says(text: str) -> None:
    for sentence in split_sentences(text):
        statements = list_statements([sentence], "")
        plain = " ".join(sentence.split()).rstrip(".!")
        if plain and "|" not in plain:
            assert is_claimed(sentence, statements)


@given(st.text(), st.text())
def test_any_text_is_read(text: str, other: str) -> None:
    assert is_claimed(text, list_statements([other], "")) in (True, False)
