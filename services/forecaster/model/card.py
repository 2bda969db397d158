"""The card of a trained model, as Markdown for people and as JSON for programs.

It is stored beside the artefact. Its contents are its kind's own.

Source: Mitchell et al. (2019), Model Cards for Model Reporting.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from luna.energy.errors import NotFoundError
from luna.energy.refusals import refuse
from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from luna.words import say_instant
from services.forecaster.model.artefact import name_digest


class ModelCard(Protocol):
    """The facts of a training, as JSON and as Markdown."""

    @property
    def run(self) -> TrainingRun:
        """The training."""

    def facts(self) -> dict[str, Any]:
        """Return the card as JSON knows it."""

    def text(self) -> str:
        """Return the card as Markdown."""


def save_card(card: ModelCard, objects: ObjectStore) -> None:
    """Store a card beside its artefact, for people and for programs.

    Raises:
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    objects.put(_name(card.run, "md"), card.text().encode())
    objects.put(
        _name(card.run, "json"), json.dumps(card.facts(), indent=1, sort_keys=True).encode()
    )


def load_card(
    run: TrainingRun, objects: ObjectStore, *, field: str, remedy: str
) -> tuple[str, dict[str, Any]]:
    """Return a training's card as Markdown and as facts.

    ``field`` names the training, ``remedy`` how to come by a card where there is none.

    Raises:
        NotFoundError: the training left no card.
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store cannot be read, or refuses Luna.
    """
    try:
        facts: dict[str, Any] = json.loads(objects.get(_name(run, "json")))
        return objects.get(_name(run, "md")).decode(), facts
    except NotFoundError as exc:
        raise refuse("training-without-card", field=field, value=run.run_id, remedy=remedy) from exc


def _name(run: TrainingRun, kind: str) -> str:
    key = str(run.artefact_key)
    return f"{PurePosixPath(key).parent}/{name_digest(key)}.card.{kind}"


def format_window(run: TrainingRun, timezone: str) -> str:
    """Return from when to when it was learned, in the site's time."""
    zone = ZoneInfo(timezone)
    return f"Learned from {say_instant(run.data_from, zone)} to {say_instant(run.data_until, zone)}"


def format_training(run: TrainingRun) -> str:
    """Return the inputs of the same training again, and its duration."""
    return f"Seed {run.seed}, code {run.code_version}, {run.train_seconds:.1f} s"


def list_items(items: Iterable[str]) -> Iterator[str]:
    """Yield a list in Markdown, a line each."""
    return (f"- {item}" for item in items)


def list_section(title: str, items: Iterable[str]) -> Iterator[str]:
    """Yield a section that is a list, line by line."""
    yield from ("", f"## {title}", "", *list_items(items))


def list_figures(caption: str, metrics: Mapping[str, float]) -> Iterator[str]:
    """Yield the section of a training's figures, line by line.

    ``caption`` says what they were measured on.
    """
    yield from ("", "## Figures", "", caption, "", "| figure | value |", "|---|---|")
    yield from (f"| {name} | {value:.4g} |" for name, value in sorted(metrics.items()))
