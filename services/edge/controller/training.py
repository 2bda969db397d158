"""Train one network: Adam with a schedule, early stopping by regret, exact checkpoints.

A killed training resumes from its checkpoint bit for bit. The network is that of the founding
document: one body, a head for the model and one for charging. Optuna searches for hyper-parameters:
seeded, and resumed after a crash trial by trial.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy, cross_entropy

from services.edge.config import ControllerSection, LossWeights
from services.edge.controller.examples import TrainingExamples
from services.edge.controller.features import FeatureScale, InputForm, build_features
from services.edge.controller.regret import measure_regret
from services.edge.controller.run_folder import Arrays, TrainingFolder

if TYPE_CHECKING:
    from optuna.trial import Trial

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class CustomController(nn.Module):
    """Scores of the models and the probability that charging is right.

    Source: the founding document, "Neural Network Architecture".
    """

    def __init__(
        self,
        input_dim: int = 4,
        num_models: int = 6,
        hidden_dims: Sequence[int] = (64, 32, 16),
        *,
        dropout: float = 0.2,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for into, out in pairwise([input_dim, *hidden_dims]):
            layers += [nn.Linear(into, out), _ACTIVATIONS[activation](), nn.Dropout(dropout)]
        # The last layer before the heads keeps all its outputs.
        self.feature_layers = nn.Sequential(*layers[:-1])
        self.model_head = nn.Linear(hidden_dims[-1], num_models)
        self.charge_head = nn.Linear(hidden_dims[-1], 1)

    @classmethod
    def configured(cls, settings: ControllerSection, inputs: int) -> Self:
        """Return a network as configured, with so many inputs."""
        model = settings.model
        return cls(
            inputs,
            model.num_models,
            model.hidden_layers,
            dropout=model.dropout,
            activation=model.activation,
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits of models and the probability of charging for scaled inputs.

        Shapes are ``(rows, models)`` and ``(rows,)``.
        """
        features = self.feature_layers(x)
        return self.model_head(features), torch.sigmoid(self.charge_head(features)).squeeze(-1)


@dataclass(frozen=True, slots=True)
class ExampleTensors:
    """Examples as tensors.

    Args:
        inputs: at unit scale.
        eligible: among which models is chosen.
        model: the best one.
        model_weight: 0 where the best model is none of the eligible ones, so that there is nothing
            to learn.
        charge: 1 where charging is right.
        charge_weight: what a wrong decision costs, in shares of the mean.
    """

    inputs: Tensor
    eligible: Tensor
    model: Tensor
    model_weight: Tensor
    charge: Tensor
    charge_weight: Tensor

    @classmethod
    def of(cls, examples: TrainingExamples, scale: FeatureScale) -> Self:
        """Return examples as a network of the scale's number of inputs sees them."""
        features = build_features(examples.sight, len(scale.mean) - 4)
        regret = np.abs(examples.benefit.astype(float))
        choosable = examples.eligible[np.arange(examples.count), examples.model]
        parts: list[tuple[Any, type]] = [
            (scale.apply(features), np.float32),
            (examples.eligible, np.bool_),
            (examples.model, np.int64),
            (choosable, np.float32),
            (examples.benefit > 0, np.float32),
            (regret / max(regret.mean(), 1e-12), np.float32),
        ]
        return cls(
            *(torch.from_numpy(np.ascontiguousarray(values.astype(kind))) for values, kind in parts)
        )

    @property
    def count(self) -> int:
        """Number of examples."""
        return self.inputs.shape[0]

    def shuffle(self, size: int) -> Iterator[Self]:
        """Yield all examples in a new order in batches of ``size``."""
        order = torch.randperm(self.count)
        shuffled = [torch.split(getattr(self, field.name)[order], size) for field in fields(self)]
        yield from (type(self)(*parts) for parts in zip(*shuffled, strict=True))

    def lose(self, network: CustomController) -> tuple[Tensor, Tensor]:
        """Return the losses of the model and of charging.

        The first is the cross-entropy among eligible models, the second weighted by the cost of a
        wrong decision.
        """
        logits, charge = network(self.inputs)
        missed = cross_entropy(
            logits.masked_fill(~self.eligible, -1e9), self.model, reduction="none"
        )
        model_loss = (self.model_weight * missed).sum() / self.model_weight.sum().clamp(min=1)
        return model_loss, binary_cross_entropy(charge, self.charge, weight=self.charge_weight)


def weigh(losses: tuple[Tensor, Tensor], weights: LossWeights) -> Tensor:
    """Return one loss of both."""
    return weights.model_selection * losses[0] + weights.charging_decision * losses[1]


# The learning rate is halved when the regret has not fallen for this share of the patience.
_PLATEAU = 0.3
_HALVED = 0.5


@dataclass(frozen=True, slots=True)
class NetworkJob:
    """One network to train, as it is sent to a process.

    Args:
        name: what the network is called.
        folder: where its checkpoints and metrics lie.
        examples: file of those that are learned from.
        judges: file of those that judge.
        form: what it sees.
        settings: sizes and training.
        seed: of its first weights, its order of rows and its dropout.
        step_energy_wh: what each model takes out of the battery in a step, shape ``(models,)``.
    """

    name: str
    folder: Path
    examples: Path
    judges: Path
    form: InputForm
    settings: ControllerSection
    seed: int
    step_energy_wh: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FittedNetwork:
    """Weights of the best epoch, the scale of its inputs and its figures."""

    weights: Arrays
    scale: FeatureScale
    figures: dict[str, float]


def train_network(job: NetworkJob) -> FittedNetwork:
    """Return a trained network, resumed from the last checkpoint in its folder.

    The result is the same as without an interruption.
    """
    torch.set_num_threads(1)
    examples = TrainingExamples.load(job.examples)
    judges = TrainingExamples.load(job.judges)
    scale = FeatureScale.of(build_features(examples.sight, job.form.expected_steps))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        training = _NetworkTraining(
            job, ExampleTensors.of(examples, scale), ExampleTensors.of(judges, scale), judges
        )
        training.resume()
        while not training.is_over:
            training.run_epoch()
            if training.epoch % job.settings.training.checkpoint_interval == 0:
                training.save_checkpoint()
        training.save_checkpoint()
    return FittedNetwork(
        training.best,
        scale,
        {"epochs": training.epoch, "best_epoch": training.best_epoch} | training.best_figures,
    )


class _NetworkTraining:
    """A training in progress; a checkpoint holds its whole state."""

    def __init__(
        self,
        job: NetworkJob,
        rows: ExampleTensors,
        judging: ExampleTensors,
        judges: TrainingExamples,
    ) -> None:
        self.job = job
        self.rows = rows
        self.judging = judging
        self.judges = judges
        self.training = job.settings.training
        self.folder = TrainingFolder(job.folder)
        self.network = CustomController.configured(job.settings, job.form.size)
        self.adam = torch.optim.Adam(
            self.network.parameters(), lr=self.training.learning_rate, fused=True
        )
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.adam,
            factor=_HALVED,
            patience=max(round(_PLATEAU * self.training.early_stopping_patience), 1),
            threshold=1e-3,
        )
        self.epoch = 0
        self.best_epoch = 0
        self.best: Arrays = {}
        self.best_figures: dict[str, float] = {}

    @property
    def is_over(self) -> bool:
        return (
            self.epoch >= self.training.epochs
            or self.epoch - self.best_epoch >= self.training.early_stopping_patience
        )

    def run_epoch(self) -> None:
        rate = self.adam.param_groups[0]["lr"]
        self.network.train()
        batches = 0
        sums = torch.zeros(2)
        for batch in self.rows.shuffle(self.training.batch_size):
            losses = batch.lose(self.network)
            self.adam.zero_grad()
            torch.autograd.backward(weigh(losses, self.job.settings.loss_weights))
            self.adam.step()
            sums += torch.stack(losses).detach()
            batches += 1
        model_loss, charge_loss = (sums / batches).tolist()
        self.network.eval()
        with torch.no_grad():
            logits, charge = self.network(self.judging.inputs)
        model = logits.masked_fill(~self.judging.eligible, -torch.inf).argmax(dim=1).numpy()
        figures = measure_regret(
            self.judges, model, charge.numpy() > 0.5, self.job.step_energy_wh
        ).to_json()
        self.plateau.step(figures["regret_wh"])
        self.epoch += 1
        if not self.best_figures or figures["regret_wh"] < self.best_figures["regret_wh"]:
            self.best_epoch = self.epoch
            self.best_figures = figures
            self.best = _arrays_of(self.network.state_dict())
        self.folder.write(
            {
                "epoch": self.epoch,
                "learning_rate": rate,
                "model_loss": model_loss,
                "charge_loss": charge_loss,
                **figures,
            }
        )

    def save_checkpoint(self) -> None:
        state = self.adam.state_dict()
        moments = {}
        for place, values in state["state"].items():
            for name, value in values.items():
                moments[f"adam.{place}.{name}"] = value
        parts = {
            "network": _arrays_of(self.network.state_dict()),
            "best": self.best,
            "moments": _arrays_of(moments),
        }
        arrays = {}
        for part, part_arrays in parts.items():
            for name, array in part_arrays.items():
                arrays[f"{part}/{name}"] = array
        metadata = {
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_figures": self.best_figures,
            "groups": state["param_groups"],
            "plateau": self.plateau.state_dict(),
        }
        self.folder.keep(
            arrays | {"randomness": torch.get_rng_state().numpy().copy()},
            json.loads(json.dumps(metadata)),
        )

    def resume(self) -> None:
        checkpoint = self.folder.resume()
        if checkpoint is None:
            return
        arrays, metadata = checkpoint
        parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "moments": {}}
        for name, value in arrays.items():
            part, _, rest = name.partition("/")
            parts.get(part, {})[rest] = torch.from_numpy(value.copy())
        self.network.load_state_dict(parts["network"])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, moment in parts["moments"].items():
            _, place, kind = name.split(".")
            moments.setdefault(int(place), {})[kind] = moment
        self.adam.load_state_dict({"state": moments, "param_groups": metadata["groups"]})
        self.plateau.load_state_dict(metadata["plateau"])
        self.best = _arrays_of(parts["best"])
        self.epoch = metadata["epoch"]
        self.best_epoch = metadata["best_epoch"]
        self.best_figures = metadata["best_figures"]
        torch.set_rng_state(torch.from_numpy(arrays["randomness"].copy()))


def _arrays_of(tensors: dict[str, Tensor]) -> Arrays:
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}


_JOURNAL = "search.jsonl"


def search_settings(job: NetworkJob) -> tuple[ControllerSection, list[dict[str, Any]]]:
    """Return the settings of least regret, and each trial's parameters and regret.

    Trials and Optuna's journal lie in the job's folder. The same data and seed give the same
    trials, even after a crash.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    job.folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(job.folder / _JOURNAL))),
        study_name="search",
        load_if_exists=True,
    )
    for killed in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
    for number in range(
        len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))),
        job.settings.search.trials,
    ):
        # A sampler's own randomness is not stored: each trial gets its own.
        study.sampler = optuna.samplers.TPESampler(seed=job.seed + number)
        trial = study.ask()
        settings = suggest_settings(trial, job.settings)
        trained = train_network(
            replace(job, settings=settings, folder=job.folder / f"trial-{number:04}")
        )
        study.tell(trial, trained.figures["regret_wh"])
    completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    trials = [{"regret_wh": trial.value, **trial.params} for trial in completed]
    return apply_settings(job.settings, study.best_params), trials


def suggest_settings(trial: "Trial", settings: ControllerSection) -> ControllerSection:
    """Return settings to try, for as many epochs as a trial has."""
    tried = {
        "learning_rate": trial.suggest_float("learning_rate", 3e-4, 1e-2, log=True),
        "batch_size": trial.suggest_categorical("batch_size", [256, 512, 1024, 2048]),
        "dropout": trial.suggest_float("dropout", 0.0, 0.3),
        "charging_decision": trial.suggest_float("charging_decision", 0.3, 10.0, log=True),
    }
    training = settings.training.model_copy(
        update={"epochs": settings.search.epochs, "early_stopping_patience": settings.search.epochs}
    )
    return apply_settings(settings.model_copy(update={"training": training}), tried)


def apply_settings(settings: ControllerSection, parameters: dict[str, Any]) -> ControllerSection:
    """Return settings with a trial's parameters."""
    training = {name: parameters[name] for name in ("learning_rate", "batch_size")}
    changed = {
        "training": settings.training.model_copy(update=training),
        "model": settings.model.model_copy(update={"dropout": parameters["dropout"]}),
        "loss_weights": settings.loss_weights.model_copy(
            update={"charging_decision": parameters["charging_decision"]}
        ),
    }
    return settings.model_copy(update=changed)
