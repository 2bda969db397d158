"""The card of a trained agent: what it learned from, how good it was on days it had not seen, what it is for and what it is not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from luna.platform.database.training_runs import TrainingRun
from services.agent.artefacts import Header
from services.forecaster.model.card import list_figures, list_items, list_section, say_making, say_window

INTENDED_USE = (
    "What the battery of this one site does in the next quarter-hours, in shadow beside the planner, and for it where the gatekeeper says so.",
    "Not for other sites or other batteries, and not for limits of safety: set-points pass the safety layer whoever proposed them.",
)
LIMITS = (
    "It knows no more of the days ahead than forecasts and published prices say; habits and tariffs that change surprise it until it is trained again.",
    "With several batteries, or devices or peaks to place, the planner's decision stands.",
)


@dataclass(frozen=True, slots=True)
class AgentCard:
    """The card of a training of an agent: its run, its artefact's header, and the days that it learned from and left out."""

    run: TrainingRun
    header: Header
    days: int
    refused: int
    timezone: str = "UTC"

    def facts(self) -> dict[str, Any]:
        """Return the card as JSON knows it."""
        run = self.run
        training = {name: getattr(run, name) for name in ("run_id", "version", "code_version", "seed", "train_seconds", "accepted", "verdict", "trigger")}
        window = {"data_from": run.data_from.isoformat(), "data_until": run.data_until.isoformat(), "days": self.days, "days_left_out": self.refused}
        learned = self.header.model_dump(mode="json", include={"kind", "state_version", "site", "settings", "parts"})
        lineage = {"artefact_key": run.artefact_key, "parent_run_id": run.parent_run_id, "metrics": dict(run.metrics)}
        return training | window | learned | lineage | {"intended_use": list(INTENDED_USE), "limits": [*LIMITS, *self._own_limits()]}

    def text(self) -> str:
        """Return the card as Markdown."""
        run = self.run
        making = (
            f"{say_window(run, self.timezone)}: {self.days} days, {self.refused} left out",
            f"Reads states {self.header.state_version}",
            f"{'In use' if run.accepted else 'Not in use'}: {run.verdict}",
            say_making(run),
        )
        lines = [
            *(f"# {run.version}: {run.run_id}", ""),
            *list_items(making),
            *list_section("Intended use", INTENDED_USE),
            *list_section("Limits", (*LIMITS, *self._own_limits())),
            *list_figures("Scores are shares of the oracle's savings over no control, on days that it had not seen.", run.metrics),
            *list_section("How it was trained", (f"{name}: {value}" for name, value in self.header.settings.items())),
        ]
        return "\n".join(lines) + "\n"

    def _own_limits(self) -> Iterator[str]:
        if not self.run.accepted:
            yield "It is not used: it did worse than the agent in use."
