"""The card of a trained model: what it learned from, how good it was, what it is for and what it is not.

Source: Mitchell et al. (2019), Model Cards for Model Reporting.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from luna.database.training_runs import TrainingRun
from luna.errors import NotFoundError
from luna.objects import ObjectStore
from luna.wording import say_instant
from services.forecaster.model.aurora import FULL_DAYS

INTENDED_USE = (
    "Load and PV of this one site, 48 hours ahead in quarter-hours, with quantiles, for planning its battery.",
    "Not for other sites, for settling bills, or for limits of safety: set-points pass the safety layer whatever was forecast.",
)
LIMITS = (
    "Habits that changed after the training are followed by their level within a week, by their shape at the next training.",
    "Rare events (a party, a fault, snow on the arrays) are in the bands at best.",
    "With faults of the input the bands are widened and the issue's reasons say so.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """What is told of a training besides its run.

    Args:
        run: the training, with its figures.
        site_id: the site's name.
        stage: what the model makes of its forecasts: profile, young or full.
        days_by_quality: verdict → local days of the window; days that were never judged count as ``unjudged``.
        features: by series, what the trees were shown.
        growth: from when on arrays had grown, and how much, where older output was scaled.
        timezone: of the site, in which instants are told.
    """

    run: TrainingRun
    site_id: str
    stage: str
    days_by_quality: Mapping[str, int]
    features: Mapping[str, Sequence[str]]
    growth: str | None = None
    timezone: str = "UTC"

    def facts(self) -> dict[str, Any]:
        """Return the card as JSON knows it."""
        run = {name: value for name, value in asdict(self.run).items() if name not in ("metrics", "data_from", "data_until")}
        window = {"data_from": self.run.data_from.isoformat(), "data_until": self.run.data_until.isoformat(), "days_by_quality": dict(self.days_by_quality)}
        learned = {"features": {name: list(names) for name, names in self.features.items()}, "grown_arrays": self.growth}
        told = {"intended_use": list(INTENDED_USE), "limits": [*LIMITS, *self._own_limits()]}
        return run | window | {"site": self.site_id, "stage": self.stage} | learned | {"metrics": dict(self.run.metrics)} | told

    def text(self) -> str:
        """Return the card as Markdown."""
        return "\n".join(self._lines()) + "\n"

    def _own_limits(self) -> Iterator[str]:
        if self.stage != "full":
            yield f"Fewer than {FULL_DAYS} days were known: seasons are not."
        if self.run.metrics.get("weather_share", 0.0) == 0:
            yield "No weather was known: a change of it comes as a surprise."
        if not self.run.accepted:
            yield "It is not used: it did worse than the model in use."

    def _lines(self) -> Iterator[str]:
        run = self.run
        yield f"# {run.version} of {self.site_id}"
        yield ""
        yield f"`{run.run_id}`"
        yield ""
        zone = ZoneInfo(self.timezone)
        span = f"Learned from {say_instant(run.data_from, zone)} to {say_instant(run.data_until, zone)}"
        days = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.days_by_quality.items()))
        yield from _list_items(
            f"{span}: {run.metrics.get('known_days', 0):.0f} days of load ({days})",
            f"Stage: {self.stage}",
            f"Trained because: {run.trigger}; {'in use' if run.accepted else 'not in use'}: {run.verdict}",
            f"Seed {run.seed}, code {run.code_version}, {run.train_seconds:.1f} s",
            *([f"Arrays had grown: {self.growth}"] if self.growth else []),
        )
        for title, items in (("Intended use", INTENDED_USE), ("Limits", (*LIMITS, *self._own_limits()))):
            yield from ("", f"## {title}", "")
            yield from _list_items(*items)
        yield from ("", "## Figures", "", "Energies in kWh per quarter-hour, on rows and days that the judged trees had not seen.", "")
        yield from ("| figure | value |", "|---|---|")
        yield from (f"| {name} | {value:.4g} |" for name, value in sorted(run.metrics.items()))
        yield from ("", "## Features", "")
        yield from _list_items(*(f"{series}: {', '.join(names)}" for series, names in self.features.items()))


def save_card(card: Card, objects: ObjectStore) -> None:
    """Store a card beside its model, for people and for programs.

    Raises:
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    objects.put(_name(card.run, "md"), card.text().encode())
    objects.put(_name(card.run, "json"), json.dumps(card.facts(), indent=1, sort_keys=True).encode())


def load_card(run: TrainingRun, objects: ObjectStore) -> tuple[str, dict[str, Any]]:
    """Return a training's card as Markdown and as facts.

    Raises:
        NotFoundError: the training left no card.
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store cannot be read, or refuses Luna.
    """
    try:
        facts: dict[str, Any] = json.loads(objects.get(_name(run, "json")))
        return objects.get(_name(run, "md")).decode(), facts
    except NotFoundError as exc:
        raise NotFoundError("the training left no card", field="run", value=run.run_id, remedy="Train again: luna forecast train.") from exc


def _name(run: TrainingRun, kind: str) -> str:
    model = PurePosixPath(str(run.artefact_key))
    return f"{model.parent}/{model.name.partition('.')[0]}.card.{kind}"


def _list_items(*items: str) -> Iterator[str]:
    return (f"- {item}" for item in items)
