"""The card of a trained Aurora: its data, its errors, its use and its limits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.forecaster.model.aurora import FULL_DAYS
from services.forecaster.model.card import (
    format_training,
    format_window,
    list_figures,
    list_items,
    list_section,
    load_card,
)

INTENDED_USE = (
    (
        "Load and PV of this one site, 48 hours ahead in quarter-hours, with quantiles, for "
        "planning its battery."
    ),
    (
        "Not for other sites, for settling bills, or for limits of safety: set-points pass the "
        "safety layer whatever was forecast."
    ),
)
LIMITS = (
    (
        "Habits that changed after the training are followed by their level within a week, by "
        "their shape at the next training."
    ),
    "Rare events (a party, a fault, snow on the arrays) are in the bands at best.",
    "With faults of the input the bands are widened and the issue's reasons say so.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """A training's facts for its card.

    Args:
        run: the training, with its figures.
        site_id: the site's name.
        stage: the stage of the model's forecasts: profile, young or full.
        days_by_quality: verdict → local days of the window; days that were never judged count as
            ``unjudged``.
        features: the trees' features, by series.
        growth: when and how much arrays had grown, where older output was scaled.
        timezone: the site's, for instants.
    """

    run: TrainingRun
    site_id: str
    stage: str
    days_by_quality: Mapping[str, int]
    features: Mapping[str, Sequence[str]]
    growth: str | None = None
    timezone: str = "UTC"

    def facts(self) -> dict[str, Any]:
        """Return the card as a JSON object."""
        run = asdict(self.run)
        metrics = self.run.metrics
        # The card names these below: dates as text, figures at the end.
        for name in ("metrics", "data_from", "data_until"):
            del run[name]
        return {
            **run,
            "data_from": self.run.data_from.isoformat(),
            "data_until": self.run.data_until.isoformat(),
            "days_by_quality": dict(self.days_by_quality),
            "site": self.site_id,
            "stage": self.stage,
            "features": {name: list(names) for name, names in self.features.items()},
            "grown_arrays": self.growth,
            "metrics": dict(metrics),
            "intended_use": list(INTENDED_USE),
            "limits": self._limits(),
        }

    def text(self) -> str:
        """Return the card as Markdown."""
        lines = [f"# {self.run.version} of {self.site_id}", "", f"`{self.run.run_id}`", ""]
        lines += list_items(self._list_facts())
        lines += list_section("Intended use", INTENDED_USE)
        lines += list_section("Limits", self._limits())
        lines += list_figures(
            "Energies in kWh per quarter-hour, on rows and days that the judged trees had not "
            "seen.",
            self.run.metrics,
        )
        features = [f"{series}: {', '.join(names)}" for series, names in self.features.items()]
        lines += list_section("Features", features)
        return "\n".join(lines) + "\n"

    def _list_facts(self) -> list[str]:
        run = self.run
        window = format_window(run, self.timezone)
        known_days = run.metrics.get("known_days", 0)
        verdicts = sorted(self.days_by_quality.items())
        days = ", ".join(f"{count} {verdict}" for verdict, count in verdicts)
        use = "in use" if run.accepted else "not in use"
        facts = [
            f"{window}: {known_days:.0f} days of load ({days})",
            f"Stage: {self.stage}",
            f"Trained because: {run.trigger}; {use}: {run.verdict}",
            format_training(run),
        ]
        if self.growth:
            facts.append(f"Arrays had grown: {self.growth}")
        return facts

    def _limits(self) -> list[str]:
        return [*LIMITS, *self._own_limits()]

    def _own_limits(self) -> Iterator[str]:
        if self.stage != "full":
            yield f"Fewer than {FULL_DAYS} days were known: seasons are not."
        if self.run.metrics.get("weather_share", 0.0) == 0:
            yield "No weather was known: a change of it comes as a surprise."
        if not self.run.accepted:
            yield "It is not used: it did worse than the model in use."


def read_card(run: TrainingRun, objects: ObjectStore) -> tuple[str, dict[str, Any]]:
    """Return the card of a trained Aurora as Markdown and as facts; see ``load_card``."""
    return load_card(run, objects, field="run", remedy="Train again: luna forecast train.")
