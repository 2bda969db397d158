"""The sentences that the check of claims was developed with."""

from bench.claim_checks import LANGUAGES, count_passing, judge_set
from tests.support.suite.tables import each_row


@each_row("language", LANGUAGES)
def test_no_false_sentence_passes_and_nearly_every_true_one_does(language: str) -> None:
    counts = count_passing(list(judge_set("main", language)))
    assert counts["true_sentences"] + counts["false_sentences"] == 100
    assert counts["false_passing"] == 0
    assert counts["true_share"] >= 0.95
