"""Battery trial: a job moves the batteries a little before control is armed.

Set-up and the page Planning start it and show its result.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from luna.contracts.battery_trial import BatteryTrial, BatteryTrials, TryBatteriesRequest
from luna.contracts.job import Job, Progress
from luna.energy.devices.commands import Via
from luna.energy.errors import read_problem
from luna.energy.site import Site
from luna.platform.database import jobs
from luna.platform.database.engine import unit_of_work
from luna.platform.queue.jobs import submit_job
from luna.words import Language
from luna.words.command_trial import COMMAND_TRIAL, format_command_trial
from luna.words.devices import say_device
from luna.words.implausible import say_implausible
from luna.words.refusals import say_refusal
from luna.words.trial import TRIAL, say_trial
from services.api.gateway import Gateway
from services.api.pages.job_part import find_progress

# Key of all arrays together, the only one without a colon that is no battery's name.
_ROOF = "pv"


@dataclass(frozen=True, slots=True)
class TrialView:
    """The state of a trial: job, progress, and each battery's result in sentences.

    ``address``: of the page that shows it.
    """

    job: Job
    progress: Progress | None
    address: str
    sentences: Mapping[str, list[str]]
    is_right: bool

    @property
    def is_open(self) -> bool:
        """Whether the job has not ended."""
        return self.job.finished_at is None


def begin_trial(gateway: Gateway, vias: Mapping[str, Via | None], *, site: Site | None) -> str:
    """Start a trial; return the job's id.

    Args:
        gateway: of the page.
        vias: the connection of each battery; None: not known yet.
        site: the batteries' site, if it is complete.
    """
    document = None if site is None else site.model_dump(mode="json", by_alias=True)
    request = TryBatteriesRequest(vias=dict(vias), site=document)
    return submit_job(gateway.database, gateway.queue, request).job_id


def view_trial(gateway: Gateway, job_id: str, *, address: str, language: Language) -> TrialView:
    """Return the state of a trial.

    Raises:
        NotFoundError: there is no such job.
    """
    with unit_of_work(gateway.database) as connection:
        job = jobs.load(connection, job_id)
    trials: Mapping[str, BatteryTrial] = {}
    if job.task == TryBatteriesRequest.task and job.reply is not None:
        trials = BatteryTrials.model_validate(job.reply).batteries
    sentences = {}
    for device, trial in trials.items():
        by_command = ":" in device or device == _ROOF
        name = say_device(device, language=language)
        sentences[name] = _say_trial(trial, language, by_command=by_command)
    return TrialView(
        job=job,
        progress=find_progress(gateway, job),
        address=address,
        sentences=sentences,
        is_right=all(trial.is_right for trial in trials.values()),
    )


def _say_trial(trial: BatteryTrial, language: Language, *, by_command: bool) -> list[str]:
    """Return what a trial showed; ``by_command``: of no battery."""
    sentences: list[str] = []
    for move in trial.moves:
        power_w = move.power_w or 0.0
        if by_command:
            sentence = format_command_trial(
                move.mode, move.outcome, power_w=power_w, language=language
            )
        else:
            sentence = say_trial(
                move.mode, move.outcome, power_w=power_w, seconds=move.seconds, language=language
            )
        sentences.append(sentence)
        for fault in move.implausible:
            value = math.nan if fault.value is None else fault.value
            sentence = say_implausible(
                fault.reading, fault.cause, value, unit=fault.unit, language=language
            )
            sentences.append(sentence)
    if trial.problem is None:
        phrases = COMMAND_TRIAL if by_command else TRIAL
        sentences.append(phrases.say("ended", language))
    else:
        refusal = say_refusal(read_problem(trial.problem), language)
        sentences.append(f"{refusal.sentence} {refusal.remedy}")
    return sentences
