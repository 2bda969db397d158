"""Train controllers on labelled scenarios and store them as a version."""

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from luna.energy.errors import InvalidInputError
from luna.platform.extras import LAB, TRAINING, require_extra
from services.edge.controller.examples import read_examples, split_by_week
from services.edge.controller.features import FORM_VERSION, FOUNDING_INPUTS, InputForm
from services.edge.controller.regret import measure_baselines
from services.edge.controller.run_folder import TrainingFolder
from services.edge.controller.version_store import (
    CardController,
    CardData,
    CardForm,
    ControllerCard,
    NetworkFile,
    current_version,
    describe_models,
    read_card,
    register,
)
from services.edge.lab import Lab
from services.edge.workers import map_in_order

CUSTOM = "custom"
ENSEMBLE = "ensemble"
CUSTOM_FOUR = "custom_4"
_S_PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class _Plan:
    """The networks to train, each with its inputs and seed, and their controllers."""

    networks: dict[str, tuple[InputForm, int]]
    controllers: dict[str, list[str]]


def train_controllers(lab: Lab) -> dict[str, Any]:
    """Train the configured controllers, store them as a version and return their figures.

    ``custom`` has the configured inputs, and ``ensemble`` averages networks of other seeds with the
    same inputs. If more than the founding document's four inputs are configured, ``custom_4`` has
    those four alone, for comparison. A killed training is resumed; a finished one with the same
    data, settings and seed is not repeated.

    Raises:
        InvalidInputError: labelled scenarios are missing or do not fit the configuration.
        MachineError: what trains is not installed, or the disk takes no more.
    """
    require_extra(TRAINING)
    if lab.config.controller_training.search.trials:
        require_extra(LAB)
    optimization = lab.config.training_data.optimization
    plan = _plan_networks(lab)
    minutes = optimization.horizon_steps * optimization.step_minutes
    examples, stand_in = read_examples(
        lab.training, lab.models, horizon_steps=optimization.horizon_steps
    )
    share = lab.config.controller_training.training.validation_split
    learned, judging = split_by_week(
        examples.slot, horizon_minutes=minutes, share=share, seed=lab.seed
    )
    data = CardData(
        digest=examples.digest,
        rows=examples.count,
        learned_from=len(learned),
        judged_by=len(judging),
        stand_in=stand_in,
    )
    decisive = {
        "form": FORM_VERSION,
        "settings": lab.config.controller_training.model_dump(mode="json"),
        "step_minutes": optimization.step_minutes,
        "camera": lab.config.simulation.battery.model_dump(mode="json"),
        "task_interval_seconds": lab.config.simulation.task_interval_seconds,
        "models": describe_models(lab.models),
        "seed": lab.seed,
        "data": data.digest,
    }
    identity = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
    has_version = current_version(lab.controller) is not None
    if has_version and read_card(lab.controller).identity == identity:
        return _describe_version(lab)
    work = lab.controller / f"unfinished-{identity[:16]}"
    work.mkdir(parents=True, exist_ok=True)
    examples.take(learned).save(work / "examples.safetensors")
    examples.take(judging).save(work / "judges.safetensors")
    baselines = measure_baselines(
        examples.take(learned), examples.take(judging), _step_energy_wh(lab)
    )
    _train(lab, plan, _Training(work, data, identity, baselines))
    shutil.rmtree(work)
    return _describe_version(lab)


@dataclass(frozen=True, slots=True)
class _Training:
    work: Path
    data: CardData
    identity: str
    baselines: dict[str, dict[str, float]]


def _train(lab: Lab, plan: _Plan, training: _Training) -> None:
    from services.edge.controller.training import FittedNetwork, NetworkJob

    settings = lab.config.controller_training
    energy = _step_energy_wh(lab)
    jobs = []
    for name, (form, seed) in plan.networks.items():
        job = NetworkJob(
            name=name,
            folder=training.work / name,
            examples=training.work / "examples.safetensors",
            judges=training.work / "judges.safetensors",
            form=form,
            settings=settings,
            seed=seed,
            step_energy_wh=energy,
        )
        jobs.append(job)
    searched: list[dict[str, Any]] = []
    if settings.search.trials:
        lab.progress(0, settings.search.trials, "searching hyper-parameters")
        search_job = replace(jobs[0], folder=training.work / "search")
        ((settings, searched),) = map_in_order(_search, [search_job], lab)
    jobs = [replace(job, settings=settings) for job in jobs]
    networks: dict[str, FittedNetwork] = {}
    lab.progress(0, len(jobs), "training networks")
    for job, network in zip(jobs, map_in_order(_train_one, jobs, lab), strict=True):
        networks[job.name] = network
        lab.progress(len(networks), len(jobs), "training networks")
    controllers = {}
    for name, members in plan.controllers.items():
        form, _ = plan.networks[members[0]]
        controllers[name] = CardController(form=CardForm(**form.to_json()), networks=members)
    files = {}
    for name, network in networks.items():
        epochs = TrainingFolder(training.work / name).read()
        files[name] = NetworkFile(network.weights, network.scale, epochs)
    card = ControllerCard(
        identity=training.identity,
        seed=lab.seed,
        settings=settings,
        search=searched,
        data=training.data,
        camera_models=describe_models(lab.models),
        controllers=controllers,
        networks={name: network.figures for name, network in networks.items()},
        baselines=training.baselines,
    )
    register(lab.controller, card, files)


def _search(_lab: Lab, job: Any) -> Any:
    from services.edge.controller.training import search_settings

    return search_settings(job)


def _train_one(_lab: Lab, job: Any) -> Any:
    from services.edge.controller.training import train_network

    return train_network(job)


def _plan_networks(lab: Lab) -> _Plan:
    model = lab.config.controller_training.model
    optimization = lab.config.training_data.optimization
    if model.num_models != len(lab.models.names):
        raise InvalidInputError(
            f"{len(lab.models.names)} camera models are described",
            field="controller_training.model.num_models",
            value=model.num_models,
            remedy="Configure as many as there are.",
        )
    steps = model.input_features - FOUNDING_INPUTS
    if steps > optimization.horizon_steps:
        raise InvalidInputError(
            f"labels look {optimization.horizon_steps} steps ahead",
            field="controller_training.model.input_features",
            value=model.input_features,
            remedy=f"At most {optimization.horizon_steps + FOUNDING_INPUTS} inputs can be filled.",
        )
    form = InputForm(steps, optimization.step_minutes)
    networks = {}
    for number in range(model.ensemble_size):
        networks[f"network-{number + 1}"] = (form, lab.seed + number)
    names = list(networks)
    controllers = {CUSTOM: names[:1], ENSEMBLE: names}
    if steps > 0:
        four_inputs = "network-4-inputs"
        networks[four_inputs] = (InputForm(0, optimization.step_minutes), lab.seed)
        controllers[CUSTOM_FOUR] = [four_inputs]
    return _Plan(networks, controllers)


def _step_energy_wh(lab: Lab) -> tuple[float, ...]:
    """Return what each model takes out of the battery in a step."""
    simulation = lab.config.simulation
    step_s = lab.config.training_data.optimization.step_minutes * _S_PER_MINUTE
    tasks = step_s / simulation.task_interval_seconds
    taken_wh = lab.models.energy_wh / simulation.battery.discharge_efficiency * tasks
    return tuple(taken_wh.tolist())


def _describe_version(lab: Lab) -> dict[str, Any]:
    card = read_card(lab.controller)
    controllers = {}
    for name, controller in card.controllers.items():
        inputs = FOUNDING_INPUTS + controller.form.expected_steps
        controllers[name] = {"inputs": inputs, "networks": controller.networks}
    return {
        "version": current_version(lab.controller),
        "seed": card.seed,
        **card.data.model_dump(),
        "controllers": controllers,
        "networks": card.networks,
        "baselines": card.baselines,
        "search": card.search,
    }
