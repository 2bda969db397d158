"""Decisions on the forecast in use, and trainings, in the reader's words."""

from collections.abc import Mapping
from typing import Any

from luna.contracts.forecast_versions import PromoteRequest, TrainingSummary, VersionDecision
from luna.words import Numbers
from luna.words.pages import PageWords

_BY_HAND = PromoteRequest.model_fields["reason"].default


def describe_choice(decision: VersionDecision, words: PageWords, numbers: Numbers) -> str:
    """Return why a forecast was put into use; "" if who decided says it all."""
    if decision.decided_by == "rule":
        return _say_comparison(decision.evidence, words, numbers)
    if decision.decided_by == "training":
        trigger = str(decision.evidence.get("trigger", ""))
        return _say_trial(trigger, decision.evidence.get("metrics", {}), words, numbers)
    if decision.decided_by == "hand" and decision.reason != _BY_HAND:
        return f"“{decision.reason}”"
    return ""


def describe_training(run: TrainingSummary, words: PageWords, numbers: Numbers) -> str:
    """Return why a trained model is used, or not."""
    return _say_trial(run.trigger, run.metrics, words, numbers)


def _say_comparison(evidence: Mapping[str, Any], words: PageWords, numbers: Numbers) -> str:
    """Return the figures of a ``CandidateReply``, as far as the decision has them."""
    sentences = []
    loss_ratio = evidence.get("loss_ratio")
    if loss_ratio is not None:
        share = numbers.share(1 - loss_ratio)
        sentences.append(words("choice_errors", share=share, days=evidence.get("days", "–")))
    regret = evidence.get("regret")
    active_regret = evidence.get("active_regret")
    if regret is not None and active_regret is not None:
        cost = numbers.money(regret)
        before = numbers.money(active_regret)
        sentences.append(words("choice_cost", cost=cost, before=before))
    return " ".join(sentences)


def _say_trial(
    trigger: str, metrics: Mapping[str, float], words: PageWords, numbers: Numbers
) -> str:
    if trigger == "force":
        return words("trial_skipped")
    errors = {}
    for model in ("new", "in_use"):
        series = [metrics.get(f"trial.{name}.{model}.pinball", 0.0) for name in ("load", "pv")]
        errors[model] = sum(series)
    if not errors["in_use"]:
        return words("trial_none")
    change = errors["new"] / errors["in_use"] - 1
    share = numbers.share(abs(change))
    if share == numbers.share(0):
        return words("trial_same")
    return words("trial_better" if change < 0 else "trial_worse", share=share)
