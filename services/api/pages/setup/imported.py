"""A draft of set-up that begins with another program's settings. Pure."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from luna.energy.site import Site, parse_site
from luna.house.peer_import import PEERS, STATUSES, PeerImport
from luna.platform.site_name import identifier_of
from luna.words.language import Language
from luna.words.peer_import import GROUPS, write_import_note
from services.api.pages.setup.composition import compose
from services.api.pages.setup.editing import answers_of, change_site, find_fixed

# The key of the answers that holds the imported site and what became of each value.
IMPORTED = "imported"


def begin_answers(result: PeerImport, file_name: str) -> dict[str, Any]:
    """Return the answers of a draft that begins with an imported site."""
    rows = []
    for status in STATUSES:
        rows += [asdict(row) for row in result.list_rows(status)]
    imported = {
        "peer": result.peer,
        "file_name": file_name,
        "site": result.site.model_dump(mode="json", by_alias=True),
        "text": result.text,
        "rows": rows,
    }
    # Steps whose fields cannot express the imported site are left out.
    return answers_of(result.site) | {IMPORTED: imported, "fixed": find_fixed(result.site)}


def compose_site(answers: Mapping[str, Any]) -> Site:
    """Return the site of whole answers, an imported one with what set-up does not ask for.

    Raises:
        InvalidInputError: a part that set-up does not ask for refers to a removed device.
    """
    composed = compose(answers)
    if IMPORTED not in answers:
        return composed.site()
    changed = change_site(parse_site(answers[IMPORTED]["site"]), answers)
    document = changed.model_dump(mode="json", by_alias=True)
    document["name"] = identifier_of(changed.called)
    # A role that was chosen in set-up replaces the imported one, the others stay.
    sensors = parse_site(answers[IMPORTED]["site"]).input_sensors
    imported = sensors.model_dump(mode="json", by_alias=True)
    document["input_sensors"] = imported | composed.document.get("input_sensors", {})
    return parse_site(document)


def list_kept_parts(answers: Mapping[str, Any]) -> list[str]:
    """Return the parts of an imported site for which set-up does not ask."""
    site = parse_site(answers[IMPORTED]["site"])
    parts = []
    if site.loads:
        parts.append("loads")
    if site.inverters:
        parts.append("inverters")
    if site.grid.circuits:
        parts.append("circuits")
    if site.sensor_roles:
        parts.append("input_sensors")
    return parts


def view_import(answers: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return what the page of an import shows."""
    imported = answers[IMPORTED]
    groups = []
    for status in STATUSES:
        rows = []
        for row in imported["rows"]:
            if row["status"] == status:
                note = write_import_note(row["code"], row["figures"], language)
                rows.append(row | {"note": note})
        if rows:
            groups.append((status, GROUPS.say(status, language), rows))
    return {
        "called": PEERS[imported["peer"]].called,
        "file_name": imported["file_name"],
        "groups": groups,
        "text": imported["text"],
        "kept": list_kept_parts(answers),
        "commands": imported["site"].get("control") is not None,
    }
