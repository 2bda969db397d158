"""What a change of a site's answers changes, as the reader is told before it is stored. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from luna.words.pages import PageWords
from services.api.pages.setup.composition import ELSEWHERE, suggest_tariff
from services.api.pages.setup.control_methods import METHODS
from services.api.pages.setup.devices import DEVICE_FORMS
from services.api.pages.setup.fields import EXPORT_ENTRIES, GRID, HOUSEHOLD, IMPORT_ENTRIES, ON, SITE, TARIFF, Entry


class ChangedAnswer(NamedTuple):
    """Something that is answered otherwise: the step that asks for it, its label, and what stood and stands there; empty: nothing."""

    step: str
    label: str
    before: str
    after: str


def view_changes(before: Mapping[str, Any], after: Mapping[str, Any], words: PageWords) -> list[ChangedAnswer]:
    """Return what is answered otherwise than before, in the order of the steps."""
    changes = [
        ChangedAnswer("site", *each)
        for part, entries in (("site", SITE), ("household", HOUSEHOLD))
        for each in _compare(entries, before[part], after[part], words)
    ]
    for kind, form in DEVICE_FORMS.items():
        was_there, is_there = ({each.get("name", ""): each for each in answers[kind]} for answers in (before, after))
        for name, device in was_there.items():
            if name in is_there:
                lines = _compare(form.entries, device, is_there[name], words)
                changes += [ChangedAnswer("devices", f"{name}: {label}", one, other) for label, one, other in lines]
            else:
                changes.append(ChangedAnswer("devices", f"{words(kind)}: {name}", words("device_there"), words("device_gone")))
        changes += [ChangedAnswer("devices", words(kind), "", words("device_new")) for each in after[kind] if not each.get("name")]
    changes += [ChangedAnswer("devices", *each) for each in _compare(GRID, before["grid"], after["grid"], words)]
    was, then = (suggest_tariff(answers) | answers["tariff"] for answers in (before, after))
    names = {entry.name for each in (was, then) for entry in (*IMPORT_ENTRIES.get(each["import_kind"], ()), *EXPORT_ENTRIES.get(each["export_kind"], ()))}
    entries = [entry for entry in TARIFF if entry.name in names | {"import_kind", "export_kind"}]
    changes += [ChangedAnswer("tariff", *each) for each in _compare(entries, was, then, words)]
    told_before, told = before.get("control") or {}, after.get("control") or {}
    by_before, by = told_before.get("by", ""), told.get("by", "")
    if by_before != by:
        said = (words(f"by_{each}") if each else "" for each in (by_before, by))
        changes.append(ChangedAnswer("control", words("step_control"), *said))
    for name, typed in told.get(by, {}).items():
        lines = _compare(METHODS[by].asks if by in METHODS else (), told_before.get(by, {}).get(name, {}), typed, words)
        changes += [ChangedAnswer("control", f"{name}: {label}", one, other) for label, one, other in lines]
    return changes


_Line = tuple[str, str, str]


def _compare(entries: Iterable[Entry], before: Mapping[str, str], after: Mapping[str, str], words: PageWords) -> list[_Line]:
    pairs = [(entry, before.get(entry.name, ""), after.get(entry.name, "")) for entry in entries]
    return [(words(f"field_{entry.name}"), _say_answer(entry, was, words), _say_answer(entry, then, words)) for entry, was, then in pairs if was != then]


def _say_answer(entry: Entry, text: str, words: PageWords) -> str:
    if entry.kind == "switch":
        return words("switch_on" if text == ON else "switch_off")
    if entry.name == "place":
        return words("elsewhere") if text == ELSEWHERE else text.partition(":")[2]
    if entry.kind == "choice" and text in entry.options:
        return words(f"option_{entry.name}_{text}")
    return f"{text}\u00a0{entry.unit}" if text and entry.unit else text
