"""The questions that the reader was tuned on are answered, and nothing false is said."""

from bench.document_questions import count_verdicts, judge_set


def test_questions_of_the_training_set_are_answered_and_none_falsely() -> None:
    counts = count_verdicts(judge_set("training", None))
    assert counts["answerable"]["right"] >= 30
    assert counts["answerable"].get("false", 0) == 0
    assert counts["unanswerable"] == {"refused": 8}
