"""From when until when documents hold by their own words, the time that a question is about, and
answers from both.
"""

from datetime import date

from luna.contracts.documents import DocumentValidity
from luna.words.language import Language
from services.rag.answering.answerer import Answerer, AnswerResult, QuestionContext
from services.rag.answering.question import find_question_time
from services.rag.documents.validity import find_validity
from tests.support.answers.inputs import TODAY, Library, Speaker, passage
from tests.support.suite.tables import each_row
from tests.support.words.wording import wording


def days(first: str | None, last: str | None) -> DocumentValidity:
    return DocumentValidity(
        valid_from=None if first is None else date.fromisoformat(first),
        valid_until=None if last is None else date.fromisoformat(last),
    )


@each_row(
    ("line", "first", "last"),
    [
        ("Gültig ab 01.01.2025", "2025-01-01", None),
        ("gültig vom 1. April 2025 bis 31. März 2026", "2025-04-01", "2026-03-31"),
        ("Valid from 1 April 2025 to 31 March 2026.", "2025-04-01", "2026-03-31"),
        ("Valid from April 2025 until March 2026", "2025-04-01", "2026-03-31"),
        ("Geltungszeitraum: 01.01.2025 – 31.12.2025", "2025-01-01", "2025-12-31"),
        ("Dieses Preisblatt gilt bis einschließlich 31.12.2025.", None, "2025-12-31"),
        ("This tariff is valid until 31 December 2025", None, "2025-12-31"),
        ("in force for 2024", "2024-01-01", "2024-12-31"),
        ("Diese Preise gelten im Jahr 2025.", "2025-01-01", "2025-12-31"),
        ("Gültigkeit: 2025", "2025-01-01", "2025-12-31"),
        ("Netzentgelte Strom 2025", "2025-01-01", "2025-12-31"),
        ("Die Verordnung tritt am 31.12.2025 außer Kraft.", None, "2025-12-31"),
        ("Stand: 1. Januar 2025", "2025-01-01", None),
        ("Preisstand 1. Januar 2026, gültig für das Netzgebiet Musterau.", "2026-01-01", None),
        ("valid_until: 2025-12-31", None, "2025-12-31"),
        # … and what says nothing of the document.
        ("Die Garantie gilt bis 31.12.2030", None, None),
        ("The certificate is valid until 1 May 2027", None, None),
        ("Der Gutschein ist gültig bis 31.12.2025", None, None),
        ("Luna liest „gültig bis 31.12.2025“ aus dem Text", None, None),
        ("Luna liest „Stand: 1.1.2025“ aus dem Text", None, None),
        ("luna docs add fees.pdf --valid-until 2025-12-31", None, None),
        ("Das EEG 2023 gilt für neue Anlagen", None, None),
        ("Gültig für 2025 kWh im Jahr", None, None),
        (
            (
                "Wer bis zum 31. März 2025 eine Anlage mit Speicher angemeldet hat, für den "
                "gilt bis 31.12.2030 der alte Satz"
            ),
            None,
            None,
        ),
        ("Der Zähler wurde am 3.4.2025 getauscht.", None, None),
        ("Gültig ab 31.02.2025", None, None),
    ],
)
def test_what_a_document_says_of_its_own_time(
    line: str, first: str | None, last: str | None
) -> None:
    assert find_validity([], [line]) == days(first, last)


def test_what_is_stated_by_the_day_goes_before_a_year_and_a_day_of_writing() -> None:
    assert find_validity(
        ["Netzentgelte 2025"], ["Stand: 12.11.2024", "gültig ab 01.04.2025"]
    ) == days("2025-04-01", "2025-12-31")


def test_a_document_that_says_several_things_of_its_time_says_none() -> None:
    assert (
        find_validity([], ["Gültig ab 1.1.2024: 30 ct", "Gültig ab 1.1.2025: 32 ct"])
        == DocumentValidity()
    )
    assert find_validity([], ["Gültig ab 1.1.2026", "Gültig bis 31.12.2025"]) == DocumentValidity()


def test_what_stands_far_down_says_nothing_of_the_document() -> None:
    assert (
        find_validity(
            [],
            [
                "Ein Absatz.",
                *["Noch ein Absatz, der nichts davon sagt."] * 200,
                "Gültig bis 31.12.2025",
                *["Ende."] * 5,
            ],
        )
        == DocumentValidity()
    )


@each_row(
    ("question", "first", "last"),
    [
        ("Wie hoch ist das Netzentgelt nächstes Jahr?", "2027-01-01", "2027-12-31"),
        ("What is the grid fee in 2027?", "2027-01-01", "2027-12-31"),
        ("Was kostet die kWh ab 2028?", "2028-01-01", "2028-12-31"),
        ("What is the grid fee on 1 March 2027?", "2027-03-01", "2027-03-01"),
        ("Was gilt übernächstes Jahr?", "2028-01-01", "2028-12-31"),
        ("What applies in two years?", "2028-01-01", "2028-12-31"),
        ("Was galt vor zwei Jahren?", "2024-01-01", "2024-12-31"),
        ("What did the meter cost last year?", "2025-01-01", "2025-12-31"),
        ("Wie hoch ist das Entgelt im März 2027?", "2027-03-01", "2027-03-31"),
        ("What is the fee in Q1 2027?", "2027-01-01", "2027-03-31"),
        ("Was kostet es nächsten Monat?", "2026-06-01", "2026-06-30"),
        ("Preise 2025 und 2027", "2025-01-01", "2027-12-31"),
        # … and what names no time, or none of a year's.
        ("Was ändert sich im EEG 2023?", None, None),
        ("Was kosten 2000 kWh im Jahr?", None, None),
        ("Wann darf ich am Morgen waschen?", None, None),
        ("Was gilt am 1. März?", None, None),
    ],
)
def test_the_time_that_a_question_is_about(
    question: str, first: str | None, last: str | None
) -> None:
    found = find_question_time(question, TODAY)
    assert (None if found is None else days(str(found.first), str(found.last))) == (
        None if first is None else days(first, last)
    )


OLD = passage(
    1,
    "Das Netzentgelt beträgt 8,20 ct/kWh.",
    title="Preisblatt A",
    holds=(date(2025, 1, 1), date(2025, 12, 31)),
)
NOW = passage(
    2,
    "Das Netzentgelt beträgt 9,10 ct/kWh.",
    title="Preisblatt B",
    holds=(date(2026, 1, 1), date(2026, 12, 31)),
)
AHEAD = passage(
    3, "Das Netzentgelt beträgt 9,90 ct/kWh.", title="Preisblatt C", holds=(date(2027, 1, 1), None)
)
ENGLISH = passage(
    4,
    "The base fee of the supply contract is 12.90 EUR a month.",
    title="Supply terms",
    holds=(date(2025, 4, 1), date(2026, 7, 31)),
)


def answer(question: str, *passages: object, model: Speaker | None = None) -> AnswerResult:
    return Answerer(Library(passages), model=model).answer(
        QuestionContext(question=question, today=TODAY)
    )  # type: ignore[arg-type]


def plain(made: AnswerResult) -> str:
    return made.text.replace("\u00a0", " ")


def say(
    code: str, language: Language, *, title: str, span: str, asked: str = "", **verbs: str
) -> str:
    """Return the words of when a document holds, and whether that is the time asked about."""
    words = {
        "title": wording("answering", "quoted", language, title=title),
        "span": span,
        "asked": asked,
    }
    words |= {name: wording("answering", verb, language) for name, verb in verbs.items()}
    return wording("answering", f"validity_{code}", language, **words)


@each_row(
    ("question", "told"),
    [
        ("Wie hoch ist das Netzentgelt?", "9,10"),
        ("Wie hoch ist das Netzentgelt nächstes Jahr?", "9,90"),
        ("Wie hoch ist das Netzentgelt 2027?", "9,90"),
        ("Wie hoch war das Netzentgelt letztes Jahr?", "8,20"),
        ("Wie hoch war das Netzentgelt am 3. Mai 2025?", "8,20"),
    ],
)
def test_the_document_that_holds_at_the_time_asked_about_answers(question: str, told: str) -> None:
    for order in ((OLD, NOW, AHEAD), (AHEAD, NOW, OLD)):
        made = answer(question, *order)
        assert (made.refused, made.text.count("ct/kWh")) == (False, 1)
        assert told in made.text


def test_a_time_beyond_what_a_document_holds_is_no_answer() -> None:
    old = wording("answering", "span_span", "de", first="1. Jan. 2025", last="31. Dez. 2025")
    terms = wording("answering", "span_span", first="1 Apr 2025", last="31 July 2026")
    made = answer("Wie hoch ist das Netzentgelt nächstes Jahr?", OLD, NOW)
    assert (made.refused, made.notes, made.draft and made.draft.sentences) == (
        True,
        ["outside_validity"],
        [],
    )
    asked = wording("answering", "span_year", "de", year=2027)
    assert plain(made).startswith(
        say(
            "beyond",
            "de",
            title="Preisblatt A",
            span=old,
            asked=asked,
            holds="held",
            asked_holds="holds",
        )
    )
    made = answer("What is the base fee of the supply contract in 2027?", ENGLISH)
    asked = wording("answering", "span_year", year=2027)
    assert plain(made).startswith(
        say(
            "beyond",
            "en",
            title="Supply terms",
            span=terms,
            asked=asked,
            holds="holds",
            asked_holds="holds",
        )
    )
    made = answer("What was the base fee of the supply contract in 2023?", ENGLISH)
    asked = wording("answering", "span_year", year=2023)
    assert plain(made).startswith(
        say(
            "beyond",
            "en",
            title="Supply terms",
            span=terms,
            asked=asked,
            holds="holds",
            asked_holds="held",
        )
    )


def test_no_model_words_an_answer_about_a_time_beyond() -> None:
    made = answer(
        "What will the base fee of the supply contract be next year?",
        ENGLISH,
        model=Speaker(lambda _: "The base fee was 12.90 EUR a month [1]."),
    )
    assert (made.refused, "12.90" in made.text) == (True, False)


def test_an_expired_document_is_named_as_one_where_no_other_answers() -> None:
    made = answer("Wie hoch ist das Netzentgelt?", OLD)
    assert (made.refused, made.notes) == (False, ["outside_validity"])
    old = wording("answering", "span_span", "de", first="1. Jan. 2025", last="31. Dez. 2025")
    today = wording("answering", "span_today", "de")
    said = say(
        "beyond",
        "de",
        title="Preisblatt A",
        span=old,
        asked=today,
        holds="held",
        asked_holds="holds",
    )
    assert plain(made) == f"Das Netzentgelt beträgt 8,20 ct/kWh. [1] {said} [1]"


def test_a_document_that_holds_for_a_part_of_the_time_says_for_which() -> None:
    made = answer("What is the base fee of the supply contract in 2026?", ENGLISH)
    terms = wording("answering", "span_span", first="1 Apr 2025", last="31 July 2026")
    assert plain(made).endswith(
        f"{say('holds', 'en', title='Supply terms', span=terms, holds='holds')} [1]"
    )
    made = answer(
        "Wie hoch war das Netzentgelt 2025?",
        passage(5, OLD.text, title="Preisblatt", holds=(None, date(2025, 6, 30))),
    )
    until = wording("answering", "span_until", "de", last="30. Juni 2025")
    assert plain(made).endswith(
        f"{say('holds', 'de', title='Preisblatt', span=until, holds='held')} [1]"
    )


def test_a_sentence_about_the_year_itself_answers_from_a_document_that_is_over_by_then() -> None:
    both = passage(
        1,
        "Das Netzentgelt beträgt 8,20 ct/kWh. Ab 2027 beträgt das Netzentgelt 9,90 ct/kWh.",
        title="Preisblatt",
        holds=(None, date(2026, 12, 31)),
    )
    made = answer("Wie hoch ist das Netzentgelt 2027?", both)
    assert made.text == "Ab 2027 beträgt das Netzentgelt 9,90 ct/kWh. [1]"
