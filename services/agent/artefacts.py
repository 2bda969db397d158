"""Save and load a trained agent as one object under its SHA-256 digest.

The object is the gzip of a JSON header and parts (LightGBM text, safetensors, JSON); no pickle.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import pydantic

from luna.contracts.agent import AgentKind
from luna.contracts.message import Message
from luna.energy.devices.battery import Battery
from luna.energy.site import Site
from luna.platform.objects import ObjectStore
from services.forecaster.model.artefact import ArtefactError, read_packed

__all__ = [
    "Artefact",
    "ArtefactError",
    "Header",
    "SiteFacts",
    "load_artefact",
    "require_fit",
    "save_artefact",
]
FORMAT = 1  # raised whenever the container changes
FOLDER = "agent"
RETRAIN = "Train again with `luna agent train`."
_BATTERY_FACTS = (
    "capacity_kwh",
    "min_soc",
    "max_soc",
    "charge_limit_kw",
    "discharge_limit_kw",
    "charge_efficiency",
    "discharge_efficiency",
)


class SiteFacts(Message):
    """The name and battery figures of the site that a policy was trained for.

    Prices are part of every state.
    """

    name: str
    batteries: list[dict[str, float]]

    @classmethod
    def of(cls, site: Site) -> Self:
        """Return the facts of a site."""
        batteries = [_battery_facts(battery) for battery in site.batteries]
        return cls(name=site.name, batteries=batteries)


def _battery_facts(battery: Battery) -> dict[str, float]:
    return {fact: float(getattr(battery, fact)) for fact in _BATTERY_FACTS}


class Header(Message):
    """The header of an artefact.

    ``parts`` holds each part's name and length in bytes, in order. ``site`` is null where a
    policy serves any site. Training used nothing from ``data_until`` on.
    """

    format: int = FORMAT
    kind: AgentKind
    state_version: str
    site: SiteFacts | None
    data_from: datetime
    data_until: datetime
    seed: int
    metrics: dict[str, float] = {}
    settings: dict[str, Any] = {}
    parts: dict[str, int] = {}


@dataclass(frozen=True, slots=True)
class Artefact:
    """A trained agent: its header, and its parts by name."""

    header: Header
    parts: Mapping[str, bytes]

    def text(self, name: str) -> str:
        """Return a part that is text."""
        return self.parts[name].decode()


def save_artefact(artefact: Artefact, objects: ObjectStore) -> str:
    """Store an artefact and return its key; the same twice is one object.

    Raises:
        UnavailableError: the store is away; the same call may work later.
        MachineError: the store is full, cannot be written, or refuses Luna.
    """
    lengths = {name: len(part) for name, part in artefact.parts.items()}
    header = artefact.header.model_copy(update={"parts": lengths})
    line = json.dumps(header.model_dump(mode="json"), sort_keys=False).encode()
    content = line + b"\n" + b"".join(artefact.parts.values())
    packed = gzip.compress(content, compresslevel=6, mtime=0)
    key = f"{FOLDER}/{hashlib.sha256(packed).hexdigest()}.agent.gz"
    objects.put(key, packed)
    return key


def load_artefact(objects: ObjectStore, key: str) -> Artefact:
    """Return the artefact stored under ``key``.

    Raises:
        ArtefactError: missing, damaged, of another format, or in a store that cannot be read.
        UnavailableError: the store is away.
    """
    packed = read_packed(objects, key, thing="the trained agent", remedy=RETRAIN)
    try:
        line, _, rest = gzip.decompress(packed).partition(b"\n")
        document = json.loads(line)
        file_format = document.get("format")
    except (OSError, EOFError, ValueError, AttributeError) as exc:
        raise ArtefactError("the object is no trained agent", field=key, remedy=RETRAIN) from exc
    if file_format != FORMAT:
        raise ArtefactError(
            "the trained agent is of another format", field=key, value=file_format, remedy=RETRAIN
        )
    try:
        header = Header.model_validate(document)
    except pydantic.ValidationError as exc:
        raise ArtefactError(
            "the header of the trained agent cannot be read", field=key, remedy=RETRAIN
        ) from exc
    if sum(header.parts.values()) != len(rest):
        raise ArtefactError(
            "the trained agent is damaged: its parts are of another length",
            field=key,
            value=len(rest),
            remedy=RETRAIN,
        )
    parts = {}
    first = 0
    for name, length in header.parts.items():
        parts[name] = rest[first : first + length]
        first = first + length
    return Artefact(header, parts)


def require_fit(
    artefact: Artefact, key: str, *, kind: AgentKind, state_version: str, site: Site
) -> Artefact:
    """Return the artefact if it fits a kind, state version and site.

    Raises:
        ArtefactError: its kind, state version, site or batteries are others.
    """
    header = artefact.header
    if header.kind != kind:
        raise ArtefactError(
            f"the trained agent is of another kind than {kind}",
            field=key,
            value=header.kind,
            remedy=RETRAIN,
        )
    if header.state_version != state_version:
        raise ArtefactError(
            f"the trained agent reads states of another version than {state_version}",
            field=key,
            value=header.state_version,
            remedy=RETRAIN,
        )
    facts = SiteFacts.of(site)
    if header.site is not None and header.site.name != facts.name:
        raise ArtefactError(
            f"the trained agent is that of another site than {facts.name}",
            field=key,
            value=header.site.name,
            remedy=RETRAIN,
        )
    if header.site is not None and header.site != facts:
        raise ArtefactError(
            "the trained agent knows other batteries than the site has now",
            field=key,
            value=facts.name,
            remedy=RETRAIN,
        )
    return artefact
