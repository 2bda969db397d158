"""The card of a trained agent: what it learned from, how good it was on days it had not seen, what it is for and what it is not.

Source: Mitchell et al. (2019), Model Cards for Model Reporting.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from luna.database.training_runs import TrainingRun
from luna.errors import NotFoundError
from luna.objects import ObjectStore
from luna.wording import say_instant
from services.agent.artefacts import Header, name_beside

INTENDED_USE = (
    "What the battery of this one site does in the next quarter-hours, in shadow beside the planner, and for it where the gatekeeper says so.",
    "Not for other sites or other batteries, and not for limits of safety: set-points pass the safety layer whoever proposed them.",
)
LIMITS = (
    "It knows no more of the days ahead than forecasts and published prices say; habits and tariffs that change surprise it until it is trained again.",
    "With several batteries, vehicles, appliances or peaks to place the planner's decision stands.",
)


@dataclass(frozen=True, slots=True)
class AgentCard:
    """What is told of a training of an agent: its run, its artefact's header, and the days that it learned from and left out."""

    run: TrainingRun
    header: Header
    days: int
    refused: int
    timezone: str = "UTC"

    def facts(self) -> dict[str, Any]:
        """Return the card as JSON knows it."""
        run = self.run
        told = {name: getattr(run, name) for name in ("run_id", "version", "code_version", "seed", "train_seconds", "accepted", "verdict", "trigger")}
        window = {"data_from": run.data_from.isoformat(), "data_until": run.data_until.isoformat(), "days": self.days, "days_left_out": self.refused}
        learned = self.header.model_dump(mode="json", include={"kind", "state_version", "site", "settings", "parts"})
        lineage = {"artefact_key": run.artefact_key, "parent_run_id": run.parent_run_id, "metrics": dict(run.metrics)}
        return told | window | learned | lineage | {"intended_use": list(INTENDED_USE), "limits": [*LIMITS, *self._own_limits()]}

    def text(self) -> str:
        """Return the card as Markdown."""
        return "\n".join(self._lines()) + "\n"

    def _own_limits(self) -> Iterator[str]:
        if not self.run.accepted:
            yield "It is not used: it did worse than the agent in use."

    def _lines(self) -> Iterator[str]:
        run, zone = self.run, ZoneInfo(self.timezone)
        span = f"Learned from {say_instant(run.data_from, zone)} to {say_instant(run.data_until, zone)}"
        yield from (f"# {run.version}: {run.run_id}", "")
        yield f"- {span}: {self.days} days, {self.refused} left out"
        yield f"- Reads states {self.header.state_version}"
        yield f"- {'In use' if run.accepted else 'Not in use'}: {run.verdict}"
        yield f"- Seed {run.seed}, code {run.code_version}, {run.train_seconds:.1f} s"
        for title, items in (("Intended use", INTENDED_USE), ("Limits", (*LIMITS, *self._own_limits()))):
            yield from ("", f"## {title}", "", *(f"- {item}" for item in items))
        yield from ("", "## Figures", "", "Scores are shares of the oracle's savings over no control, on days that it had not seen.", "")
        yield from ("| figure | value |", "|---|---|", *(f"| {name} | {value:.4g} |" for name, value in sorted(run.metrics.items())))
        yield from ("", "## How it was trained", "", *(f"- {name}: {value}" for name, value in self.header.settings.items()))


def save_card(card: AgentCard, objects: ObjectStore) -> None:
    """Store a card beside its artefact, for people and for programs.

    Raises:
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    key = str(card.run.artefact_key)
    objects.put(name_beside(key, "card.md"), card.text().encode())
    objects.put(name_beside(key, "card.json"), json.dumps(card.facts(), indent=1, sort_keys=True).encode())


def load_card(run: TrainingRun, objects: ObjectStore) -> tuple[str, dict[str, Any]]:
    """Return a training's card as Markdown and as facts.

    Raises:
        NotFoundError: the training left no card.
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store cannot be read, or refuses Luna.
    """
    try:
        facts: dict[str, Any] = json.loads(objects.get(name_beside(str(run.artefact_key), "card.json")))
        return objects.get(name_beside(str(run.artefact_key), "card.md")).decode(), facts
    except NotFoundError as exc:
        raise NotFoundError("the training left no card", field="run_id", value=run.run_id, remedy="Train again: luna agent train.") from exc
