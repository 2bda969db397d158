"""The search for hyper-parameters by Optuna: seeded, and gone on with after a crash, trial by trial."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from services.edge.config import ControllerSection
from services.edge.controller.training import NetworkJob, train_network

if TYPE_CHECKING:
    from optuna.trial import Trial

_JOURNAL = "search.jsonl"


def search_settings(job: NetworkJob) -> tuple[ControllerSection, list[dict[str, Any]]]:
    """Return the settings of least regret, and all trials: their parameters and regrets. The same data and seed give the same trials, whenever it is killed.

    Trials, and the study as Optuna writes it, lie in the job's folder.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    job.folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(storage=JournalStorage(JournalFileBackend(str(job.folder / _JOURNAL))), study_name="search", load_if_exists=True)
    for killed in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(killed.number, state=TrialState.FAIL)
    for number in range(len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))), job.settings.search.trials):
        # A sampler's own randomness is not stored: each trial gets its own.
        study.sampler = optuna.samplers.TPESampler(seed=job.seed + number)
        trial = study.ask()
        settings = suggest_settings(trial, job.settings)
        trained = train_network(replace(job, settings=settings, folder=job.folder / f"trial-{number:04}"))
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
    training = settings.training.model_copy(update={"epochs": settings.search.epochs, "early_stopping_patience": settings.search.epochs})
    return apply_settings(settings.model_copy(update={"training": training}), tried)


def apply_settings(settings: ControllerSection, parameters: dict[str, Any]) -> ControllerSection:
    """Return settings with the parameters of a trial in the place of the configured ones."""
    training = {name: parameters[name] for name in ("learning_rate", "batch_size")}
    changed = {
        "training": settings.training.model_copy(update=training),
        "model": settings.model.model_copy(update={"dropout": parameters["dropout"]}),
        "loss_weights": settings.loss_weights.model_copy(update={"charging_decision": parameters["charging_decision"]}),
    }
    return settings.model_copy(update=changed)
