"""Refusal reasons by kind of mistake, which many parts share."""

from luna.energy.errors import NotFoundError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "not-found": RefusalReason(
        "no such {thing}", "Take it from {source}.", error=NotFoundError, kinds={"thing": "thing"}
    ),
    "unknown-name": RefusalReason(
        "no such {thing}", "Choose one of: {names}.", kinds={"thing": "thing"}
    ),
    "ends-before-start": RefusalReason(
        "the end is not after the start", "Give a later end, or an earlier start."
    ),
    "time-passed": RefusalReason("this time is in the past", "Give a time in the future."),
    "years-outside": RefusalReason(
        "the time is not between the years {first} and {last}", "Check the year."
    ),
    "window-of-days": RefusalReason(
        "a first time and a later last one are needed, at most {days} days apart",
        "Give both, in this order.",
    ),
    "too-many-days": RefusalReason("is longer than {days:,} days", "Choose at most {days:,} days."),
    "too-few-points": RefusalReason("these are too few points", "Ask for {least} or more."),
    "bounds-crossed": RefusalReason(
        "{lower} {least:g} must be below {upper} {most:g}",
        "Lower the first or raise the second.",
        kinds={"lower": "field", "upper": "field", "unit": "unit"},
    ),
    "shares-crossed": RefusalReason(
        "{lower} {least:g} must be below {upper} {most:g}",
        "Lower the first or raise the second.",
        kinds={"lower": "field", "least": "share", "upper": "field", "most": "share"},
    ),
    "soc-unread": RefusalReason(
        "soc is missing; without the battery level no command is safe",
        "Name where the battery level is read.",
    ),
    "page-packed": RefusalReason(
        "the server sends content that cannot be unpacked", "Download the file and add it."
    ),
    "power-beyond": RefusalReason(
        "{device} cannot take or give so much power",
        "Give at most {most:g} kW.",
        kinds={"device": "device"},
    ),
    "stored-plan-lacks": RefusalReason("the stored request has no {part}", "Plan anew."),
    "not-the-address": RefusalReason("is not an address of {server}", "Write it like {form}."),
    "not-taken-here": RefusalReason("is not taken here", "Leave it out; it belongs to {takers}."),
    "file-of-other-kind": RefusalReason(
        "the file is of another kind: {thing}",
        "Export the values as CSV, Excel (.xlsx) or JSON.",
        kinds={"thing": "thing"},
    ),
    "device-unclear": RefusalReason(
        "it is not clear which of the {section} this device is for",
        "Name one of {names}; add a missing one to the home first.",
        kinds={"section": "field", "names": "device"},
    ),
}
