"""How one network is trained: Adam with a schedule, early stopping by regret, checkpoints from which a killed training goes on bit for bit."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from services.edge.config import ControllerSection
from services.edge.controller.examples import TrainingExamples
from services.edge.controller.features import FeatureScale, InputForm, build_features
from services.edge.controller.network import CustomController, ExampleTensors, weigh
from services.edge.controller.regret import measure_regret
from services.edge.controller.run_folder import Arrays, TrainingFolder

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
    """The weights of the best epoch, the scale of its inputs, and how good it was."""

    weights: Arrays
    scale: FeatureScale
    figures: dict[str, float]


def train_network(job: NetworkJob) -> FittedNetwork:
    """Return a trained network; goes on from the last checkpoint of its folder, to the very network that would have come without a break."""
    torch.set_num_threads(1)
    examples, judges = TrainingExamples.load(job.examples), TrainingExamples.load(job.judges)
    scale = FeatureScale.of(build_features(examples.sight, job.form.expected_steps))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(job.seed)
        course = _Course(job, ExampleTensors.of(examples, scale), ExampleTensors.of(judges, scale), judges)
        course.go_on()
        while not course.is_over:
            course.run_epoch()
            if course.epoch % job.settings.training.checkpoint_interval == 0:
                course.keep()
        course.keep()
    return FittedNetwork(course.best, scale, {"epochs": course.epoch, "best_epoch": course.best_epoch} | course.best_figures)


class _Course:
    """A training on its way; all that it is lies in a checkpoint."""

    def __init__(self, job: NetworkJob, rows: ExampleTensors, judging: ExampleTensors, judges: TrainingExamples) -> None:
        self.job, self.rows, self.judging, self.judges = job, rows, judging, judges
        self.training, self.folder = job.settings.training, TrainingFolder(job.folder)
        self.network = CustomController.configured(job.settings, job.form.size)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=self.training.learning_rate, fused=True)
        self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self.adam, factor=_HALVED, patience=max(round(_PLATEAU * self.training.early_stopping_patience), 1), threshold=1e-3
        )
        self.epoch, self.best_epoch = 0, 0
        self.best: Arrays = {}
        self.best_figures: dict[str, float] = {}

    @property
    def is_over(self) -> bool:
        return self.epoch >= self.training.epochs or self.epoch - self.best_epoch >= self.training.early_stopping_patience

    def run_epoch(self) -> None:
        rate = self.adam.param_groups[0]["lr"]
        self.network.train()
        batches, sums = 0, torch.zeros(2)
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
        figures = measure_regret(self.judges, model, charge.numpy() > 0.5, self.job.step_energy_wh).to_json()
        self.plateau.step(figures["regret_wh"])
        self.epoch += 1
        if not self.best_figures or figures["regret_wh"] < self.best_figures["regret_wh"]:
            self.best_epoch, self.best_figures, self.best = self.epoch, figures, _arrays_of(self.network.state_dict())
        self.folder.write({"epoch": self.epoch, "learning_rate": rate, "model_loss": model_loss, "charge_loss": charge_loss, **figures})

    def keep(self) -> None:
        state = self.adam.state_dict()
        moments = {f"adam.{place}.{name}": value for place, values in state["state"].items() for name, value in values.items()}
        parts = {"network": _arrays_of(self.network.state_dict()), "best": self.best, "moments": _arrays_of(moments)}
        arrays = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        metadata = {
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_figures": self.best_figures,
            "groups": state["param_groups"],
            "plateau": self.plateau.state_dict(),
        }
        self.folder.keep(arrays | {"randomness": torch.get_rng_state().numpy().copy()}, json.loads(json.dumps(metadata)))

    def go_on(self) -> None:
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
        self.epoch, self.best_epoch, self.best_figures = metadata["epoch"], metadata["best_epoch"], metadata["best_figures"]
        torch.set_rng_state(torch.from_numpy(arrays["randomness"].copy()))


def _arrays_of(tensors: dict[str, Tensor]) -> Arrays:
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}
