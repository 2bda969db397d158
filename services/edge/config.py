"""Read the configuration of a run of the lab: ``config.jsonc``, JSON with comments.

Every key has a default; an unknown key is refused.
"""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import json5
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from luna.energy.errors import InvalidInputError

Location = Literal["CA", "FL", "NW", "NY"]
Season = Literal["winter", "spring", "summer", "fall"]
ControllerName = Literal[
    "naive_weak", "naive_strong", "rule", "oracle", "custom", "ensemble", "custom_4"
]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
# More workers than cores are cut to the cores.
Workers = Annotated[int, Field(ge=1, le=4096)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]
Megabytes = Annotated[float, Field(gt=0, le=1e6)]


class Section(BaseModel):
    """A part of the configuration: frozen, strict about names, finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Range(Section):
    """From ``min`` to ``max``, both included."""

    min: float
    max: float

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) lies above max ({self.max:g})")
        return self


def _within(lowest: float, highest: float) -> Any:
    def check(span: Range) -> Range:
        if not lowest <= span.min <= span.max <= highest:
            raise ValueError(f"has to lie within {lowest:g} and {highest:g}")
        return span

    from pydantic import AfterValidator

    return AfterValidator(check)


class GlobalSection(Section):
    """Settings of all stages.

    With ``random_seed`` null a seed is drawn, reported and stored with all results.
    """

    workers: Workers = 100
    random_seed: Annotated[int | None, Field(ge=0, le=2**32 - 1)] = None
    output_dir: str = "results/"
    log_level: LogLevel = "INFO"
    log_to_file: bool = True
    log_to_console: bool = True


class ScenarioSection(Section):
    """Ranges for drawing scenarios: battery in per cent, accuracy as a share, latency in ms."""

    battery_range: Annotated[Range, _within(0, 100)] = Range(min=1, max=100)
    accuracy_range: Annotated[Range, _within(0, 1)] = Range(min=0.3, max=1.0)
    latency_options: Annotated[list[Positive], Field(min_length=1, max_length=100)] = [
        1,
        2,
        3,
        5,
        8,
        10,
        15,
        20,
        25,
        30,
    ]
    # False: generated clean shares are used even where measured ones exist.
    use_real_energy_data: bool = True


class OptimizationSection(Section):
    """The solver of labels and its horizon.

    ``dp`` is the exact dynamic programme; ``ortools`` is some thousand times slower and serves to
    check it.
    """

    solver: Literal["dp", "ortools"] = "dp"
    parallel_workers: Workers = 100
    horizon_steps: Annotated[int, Field(ge=1, le=288)] = 24
    step_minutes: Literal[5, 10, 15, 30, 60] = 60


class TrainingOutput(Section):
    """Files of labelled scenarios: ``json`` is one JSON object per line."""

    format: Literal["json", "csv"] = "json"
    compression: bool = False
    split_files: bool = True
    max_file_size_mb: Megabytes = 100


class TrainingDataSection(Section):
    """Scenarios and their labels."""

    num_scenarios: Count = 100_000
    batch_size: Annotated[int, Field(ge=1, le=100_000)] = 1000
    scenario_generation: ScenarioSection = ScenarioSection()
    optimization: OptimizationSection = OptimizationSection()
    output: TrainingOutput = TrainingOutput()


class ModelSection(Section):
    """Size and shape of the network.

    The first four ``input_features`` are battery, accuracy, latency and clean share; each further
    one is the expected clean share of one more step ahead.
    """

    architecture: Literal["pytorch_neural_network"] = "pytorch_neural_network"
    hidden_layers: Annotated[
        list[Annotated[int, Field(ge=1, le=4096)]], Field(min_length=1, max_length=8)
    ] = [64, 32, 16]
    activation: Literal["relu", "tanh"] = "relu"
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    input_features: Annotated[int, Field(ge=4, le=52)] = 28
    num_models: Annotated[int, Field(ge=1, le=64)] = 6
    ensemble_size: Annotated[int, Field(ge=1, le=32)] = 3


class TrainingSection(Section):
    """Training of one network."""

    epochs: Annotated[int, Field(ge=1, le=100_000)] = 1000
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.001
    optimizer: Literal["adam"] = "adam"
    early_stopping_patience: Annotated[int, Field(ge=1)] = 50
    validation_split: Annotated[float, Field(gt=0, lt=1)] = 0.2
    checkpoint_interval: Annotated[int, Field(ge=1)] = 50


class LossWeights(Section):
    """Weight of each head's loss in the sum."""

    model_selection: Annotated[float, Field(ge=0, le=1e6)] = 1.0
    charging_decision: Annotated[float, Field(ge=0, le=1e6)] = 1.0


class SearchSection(Section):
    """The search for hyper-parameters: ``trials`` 0 trains once, as configured."""

    trials: Annotated[int, Field(ge=0, le=10_000)] = 0
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 40


class ControllerSection(Section):
    """The learned controller: network, training and search."""

    model: ModelSection = ModelSection()
    training: TrainingSection = TrainingSection()
    loss_weights: LossWeights = LossWeights()
    search: SearchSection = SearchSection()


class BatterySection(Section):
    """The camera's battery and charger.

    ``discharge_efficiency`` is the share of the stored energy that reaches the camera.
    """

    capacity_wh: Positive = 5.0
    charge_rate_watts: Positive = 100.0
    discharge_efficiency: Annotated[float, Field(gt=0, le=1)] = 0.95


class RequestSection(Section):
    """Requirements of the one camera's user: accuracy as a share, latency in ms."""

    accuracy: Share = 0.8
    latency_ms: Positive = 10


class SimulationLogging(Section):
    """Rows that a simulation writes besides its metrics."""

    log_every_task: bool = False
    log_battery_levels: bool = True
    log_energy_usage: bool = True
    log_model_selections: bool = True


class SimulationSection(Section):
    """Simulation of one camera over some days.

    Batches use its task interval, acceleration, efficiency and controllers as well.

    With ``time_acceleration`` n one simulated task stands for n: energy and time stay the same and
    the work falls to a n-th.
    """

    duration_days: Annotated[float, Field(gt=0, le=366)] = 1
    task_interval_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 5
    time_acceleration: Annotated[int, Field(ge=1, le=1000)] = 1
    battery: BatterySection = BatterySection()
    request: RequestSection = RequestSection()
    controllers: Annotated[list[ControllerName], Field(min_length=1)] = [
        "naive_weak",
        "naive_strong",
        "rule",
        "oracle",
        "custom",
        "ensemble",
    ]
    logging: SimulationLogging = SimulationLogging()


class VariationSection(Section):
    """Ranges for drawing a batch's cameras.

    Accuracy in per cent, latency in ms, capacity in Wh, charge rate in W.
    """

    num_variations: Annotated[int, Field(ge=1, le=1_000_000)] = 4
    accuracy_range: Annotated[Range, _within(0, 100)] = Range(min=30, max=80)
    latency_range: Annotated[Range, _within(0.001, 1e6)] = Range(min=2, max=15)
    battery_capacity_range: Annotated[Range, _within(0.001, 1e6)] = Range(min=2, max=15)
    charge_rate_range: Annotated[Range, _within(0.001, 1e6)] = Range(min=50, max=200)


class ExecutionSection(Section):
    """Execution of a batch.

    Progress is synced to the disk after every ``checkpoint_interval`` finished runs.
    """

    parallel_workers: Workers = 100
    checkpoint_interval: Annotated[int, Field(ge=1)] = 100
    resume_on_failure: bool = True
    max_retries: Annotated[int, Field(ge=0, le=100)] = 3


class BatchSection(Section):
    """A batch of simulations, each within a held-out week."""

    duration_days: Annotated[float, Field(gt=0, le=7)] = 7
    variations: VariationSection = VariationSection()
    execution: ExecutionSection = ExecutionSection()


class SourceSection(Section):
    """Folders and files of the input data, which is never written.

    Paths are relative to the folder of the configuration.
    """

    energy_data_dir: str = "energy-data/"
    power_profiles_file: str = "model-data/power_profiles.json"
    locations: Annotated[list[Location], Field(min_length=1)] = ["CA", "FL", "NW", "NY"]
    seasons: Annotated[list[Season], Field(min_length=1)] = ["winter", "spring", "summer", "fall"]


class VisualizationSection(Section):
    """Pictures of the results."""

    enabled: bool = True
    # A key of the founding document without effect: Luna draws its pictures as SVG itself.
    library: Literal["matplotlib"] = "matplotlib"
    save_plots: bool = True
    plot_formats: list[Literal["png", "pdf", "svg"]] = ["png", "pdf"]


class AnalysisSection(Section):
    """Statistics to calculate from the results."""

    statistical_tests: bool = True
    confidence_level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    trend_analysis: bool = True
    performance_comparison: bool = True


class ExportSection(Section):
    """Files to write from the results."""

    detailed_json: bool = True
    summary_csv: bool = True
    split_large_files: bool = True
    max_file_size_mb: Megabytes = 50


class ResultsSection(Section):
    """Results in figures, words and pictures."""

    output_formats: list[Literal["json", "csv", "html"]] = ["json", "csv", "html"]
    visualization: VisualizationSection = VisualizationSection()
    analysis: AnalysisSection = AnalysisSection()
    export: ExportSection = ExportSection()


class EdgeConfig(Section):
    """The whole configuration of a run."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True
    )

    run: Annotated[GlobalSection, Field(alias="global")] = GlobalSection()
    training_data: TrainingDataSection = TrainingDataSection()
    controller_training: ControllerSection = ControllerSection()
    simulation: SimulationSection = SimulationSection()
    batch_simulation: BatchSection = BatchSection()
    data_sources: SourceSection = SourceSection()
    results: ResultsSection = ResultsSection()

    def with_seed(self, seed: int) -> Self:
        """Return the configuration with another seed."""
        run = self.run.model_copy(update={"random_seed": seed})
        return self.model_copy(update={"run": run})


def read_config(path: Path) -> EdgeConfig:
    """Return the configuration in a file.

    Raises:
        InvalidInputError: the file is missing, is not JSON with comments, or holds an unknown key
            or invalid value; names the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            "the configuration cannot be read",
            field="--config",
            value=str(path),
            remedy=f"{error}. Name a file as config/edge.jsonc is.",
        ) from error
    return parse_config(text, name=path.name)


def parse_config(text: str, *, name: str = "config.jsonc") -> EdgeConfig:
    """Return the configuration in a text.

    Raises:
        InvalidInputError: the text is not JSON with comments, or holds an unknown key or invalid
            value; names the place.
    """
    try:
        document = json5.loads(text, allow_duplicate_keys=False)
    except ValueError as error:
        raise InvalidInputError(
            "this is not JSON with comments",
            field=name,
            value=str(error),
            remedy="Mend it there; config/edge.jsonc is an example.",
        ) from error
    return validate_config(document, name=name)


def validate_config(document: Any, *, name: str = "config.jsonc") -> EdgeConfig:
    """Return the configuration in a parsed document.

    Raises:
        InvalidInputError: a key is unknown or a value invalid; names the place.
    """
    try:
        return EdgeConfig.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or name
        if first["type"] == "extra_forbidden":
            remedy = "Take it out: every key that is known stands in config/edge.jsonc."
        else:
            remedy = "config/edge.jsonc says what is possible."
        raise InvalidInputError(
            first["msg"], field=where, value=first.get("input"), remedy=remedy
        ) from error
