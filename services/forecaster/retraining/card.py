"""The card of a trained Aurora.

Its data, its quality, and the uses it is and is not meant for.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from luna.platform.database.training_runs import TrainingRun
from luna.platform.objects import ObjectStore
from services.forecaster.model.aurora import FULL_DAYS
from services.forecaster.model.card import (
    list_figures,
    list_items,
    list_section,
    load_card,
    say_making,
    say_window,
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
    """Facts about a training besides its run.

    Args:
        run: the training, with its figures.
        site_id: the site's name.
        stage: what the model makes of its forecasts: profile, young or full.
        days_by_quality: verdict → local days of the window; days that were never judged count as
            ``unjudged``.
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
        run = {
            name: value
            for name, value in asdict(self.run).items()
            if name not in ("metrics", "data_from", "data_until")
        }
        window = {
            "data_from": self.run.data_from.isoformat(),
            "data_until": self.run.data_until.isoformat(),
            "days_by_quality": dict(self.days_by_quality),
        }
        learned = {
            "features": {name: list(names) for name, names in self.features.items()},
            "grown_arrays": self.growth,
        }
        statements = {"intended_use": list(INTENDED_USE), "limits": [*LIMITS, *self._own_limits()]}
        return (
            run
            | window
            | {"site": self.site_id, "stage": self.stage}
            | learned
            | {"metrics": dict(self.run.metrics)}
            | statements
        )

    def text(self) -> str:
        """Return the card as Markdown."""
        run = self.run
        days = ", ".join(
            f"{count} {verdict}" for verdict, count in sorted(self.days_by_quality.items())
        )
        facts = (
            (
                f"{say_window(run, self.timezone)}: {run.metrics.get('known_days', 0):.0f} "
                f"days of load ({days})"
            ),
            f"Stage: {self.stage}",
            (
                f"Trained because: {run.trigger}; "
                f"{'in use' if run.accepted else 'not in use'}: {run.verdict}"
            ),
            say_making(run),
            *([f"Arrays had grown: {self.growth}"] if self.growth else []),
        )
        lines = (
            f"# {run.version} of {self.site_id}",
            "",
            f"`{run.run_id}`",
            "",
            *list_items(facts),
            *list_section("Intended use", INTENDED_USE),
            *list_section("Limits", (*LIMITS, *self._own_limits())),
            *list_figures(
                "Energies in kWh per quarter-hour, on rows and days that the judged trees "
                "had not seen.",
                run.metrics,
            ),
            *list_section(
                "Features",
                (f"{series}: {', '.join(names)}" for series, names in self.features.items()),
            ),
        )
        return "\n".join(lines) + "\n"

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
