"""Declare additional libraries of a few commands: list, install, remove."""

from typing import Annotated

from pydantic import Field

from luna.contracts.extras import ChangeExtraRequest, ExtraChange, ExtraList, ExtraName, ExtraStatus
from luna.house.capability import CapabilityCall, ReplyTable, RouteForm, capability
from luna.platform.extras import EXTRAS, Extra, PythonEnvironment, estimate_minutes
from luna.words import Numbers

ExtraInPath = Annotated[ExtraName, Field(description="the addition's name")]


def _show(extra: ExtraStatus, _: Numbers) -> list[str]:
    state = "installed" if extra.installed else extra.why_not or "not installed"
    return [extra.name, extra.purpose, f"{extra.download_mb}", f"{extra.disk_mb}", state]


def describe_extra(extra: Extra, place: PythonEnvironment) -> ExtraStatus:
    """Return how an addition stands in an environment."""
    return ExtraStatus.model_validate(
        {
            "name": extra.name,
            "purpose": extra.purpose,
            "libraries": list(extra.modules),
            "installed": not extra.find_missing(),
            "download_mb": extra.download,
            "disk_mb": extra.megabytes,
            "minutes": estimate_minutes(extra),
            "folder": str(place.libraries),
            "why_not": place.find_obstacle(extra),
        }
    )


@capability(
    "GET",
    "/v1/extras",
    noun="settings",
    scope="administer",
    command="extras list",
    shown=ReplyTable(
        ("addition", "for", "MB to fetch", "MB on disk", "state"),
        _show,
        "extras",
        words=("addition", "for", "state"),
    ),
)
def list_extras(call: CapabilityCall) -> ExtraList:  # noqa: ARG001 - nothing of the caller's
    """List the optional libraries.

    Return the libraries that only a few commands need, their sizes, and whether they are installed.
    """
    place = PythonEnvironment.of_this_process()
    return ExtraList(extras=[describe_extra(extra, place) for extra in EXTRAS.values()])


@capability(
    "PUT",
    "/v1/extras/{name}",
    noun="settings",
    scope="administer",
    local_command="extras add",
    status=202,
    route=RouteForm(location="/v1/jobs/{job_id}"),
)
def change_extra(
    call: CapabilityCall,  # noqa: ARG001
    name: ExtraInPath,
    change: ExtraChange,
) -> ChangeExtraRequest:
    """Install or remove optional libraries.

    Accept a job that installs or removes them; the sender has agreed to it.
    """
    return ChangeExtraRequest(name=name, wanted=change.wanted)


CAPABILITIES = (
    list_extras,
    change_extra,
)
