"""Refusal reasons of sites: their description, and how they are created, changed and removed."""

from luna.energy.errors import (
    ConflictError,
    NotFoundError,
    OutdatedError,
    UnavailableError,
    UnreadableError,
)
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "outside-meter-no-device": RefusalReason(
        "outside_house_meter: no device uses the sensor {sensor!r}",
        "Name only sensors that are under {roles} or {last} as well.",
    ),
    "outside-meter-no-meter": RefusalReason(
        "outside_house_meter: the site has no house meter (total_load_consumption)",
        "Remove it. If the grid's meter misses the device too, add its sensor to "
        "total_grid_import.",
    ),
    "no-such-site": RefusalReason("no such site", "Known sites: {names}.", error=NotFoundError),
    "no-site-of-yours": RefusalReason(
        "no such site",
        "You have no home yet; ask an admin to give you access to one.",
        error=NotFoundError,
    ),
    "no-site-yet": RefusalReason(
        "no such site",
        "Add one with `luna site add --file site.yaml`.",
        error=NotFoundError,
    ),
    "no-such-place": RefusalReason(
        "this place is not in the list",
        "Choose one of the list, or give latitude, longitude and time zone.",
        error=NotFoundError,
    ),
    "inverter-carries-nothing": RefusalReason(
        "inverters: {inverter} has neither pv nor batteries",
        "Name what is connected to it, or remove the inverter.",
    ),
    "wear-priced-twice": RefusalReason(
        "wear_price and wear_by_depth both price the battery's wear", "Give only one of the two."
    ),
    "wear-depths": RefusalReason(
        "wear_by_depth: to_depth does not rise from segment to segment up to 1, here {depths}",
        "Sort the segments; the last to_depth is 1.",
    ),
    "wear-prices-fall": RefusalReason(
        "wear_by_depth: a deeper segment is cheaper than the one before it, prices here are "
        "{prices}",
        "Let each price be at least the one before it.",
    ),
    "power-in-watts": RefusalReason(
        "{name} {power_kw:g} kW would fill or empty {capacity_kwh:g} kWh within seconds",
        "Give kW, not W.",
    ),
    "inverter-names-stranger": RefusalReason(
        "inverters: {inverter} names {name!r}, which is not under {kind}",
        "Add it there, or remove it from the inverter.",
    ),
    "behind-two-inverters": RefusalReason(
        "inverters: {name!r} is connected to two of them", "Remove it from one of them."
    ),
    "file-unreadable": RefusalReason("cannot be read: {why}", "Name a readable file."),
    "file-no-text": RefusalReason("is not UTF-8 text", "Save it as UTF-8."),
    "file-no-yaml": RefusalReason(
        "is not valid YAML: {why}",
        "Correct that line; config/site.yaml is an example.",
        quotes=True,
    ),
    "peer-file-large": RefusalReason(
        "has {bytes} bytes; a configuration has at most {most_bytes}",
        "Name the configuration itself, not a backup or a log.",
        kinds={"bytes": "bytes", "most_bytes": "bytes"},
    ),
    "peer-database-unreadable": RefusalReason(
        "is no database of evcc that can be read",
        "Stop evcc, copy its evcc.db and name the copy, or name its evcc.yaml.",
    ),
    "peer-file-no-yaml": RefusalReason(
        "is not valid YAML: see line {line}", "Correct that line, or copy the file again."
    ),
    "peer-file-tab": RefusalReason(
        "line {line} begins with a tab", "Replace the tab by spaces: YAML knows no tabs."
    ),
    "peer-file-documents": RefusalReason(
        "a second document begins at line {line}", "Save each document as a file of its own."
    ),
    "peer-file-values": RefusalReason(
        "holds more than {most} values, see line {line}",
        "Name the configuration itself; repeated anchors (&, *) count each time.",
    ),
    "peer-file-deep": RefusalReason(
        "nests deeper than {most_depth} levels, see line {line}",
        "Name the configuration itself; an anchor may not name itself.",
    ),
    "peer-file-unnamed": RefusalReason(
        "holds no settings", "Name a file with lines such as name: value."
    ),
    "peer-file-other": RefusalReason(
        "is no configuration of {peer}: it has none of {names}",
        "Choose the program that the file is from, or another file.",
    ),
    "peer-site-exists": RefusalReason(
        "a site {name!r} exists",
        "Name another by --site, or this one by --site {name} to replace it.",
    ),
    "site-field-fixed": RefusalReason(
        "this field cannot be changed here", "Change one of: {names}."
    ),
    "vacation-no-such-load": RefusalReason(
        "strategy.vacation.loads_off: the home has no load {device!r}",
        "Name another load, or add this one.",
        kinds={"device": "device"},
    ),
    "no-such-circuit": RefusalReason(
        "a charger is in the circuit {circuit!r}, which grid.circuits does not name",
        "Name another circuit, or add this one with its fuse.",
    ),
    "export-share-without-pv": RefusalReason(
        "grid.export_limit_share is a share of the solar power, but the home has no pv",
        "Add the pv, or remove the limit.",
    ),
    "name-twice": RefusalReason(
        "{kind}: the name {name!r} is used twice", "Give each its own name."
    ),
    "control-names": RefusalReason(
        "control: {name!r} is unknown or listed twice",
        "List each device once, under the name it has under {kind}.",
    ),
    "control-advice-names": RefusalReason(
        "by: with advice Luna sends nothing, but devices are listed",
        "Remove the devices, or choose another way.",
    ),
    "control-names-nothing": RefusalReason(
        "no device is listed", "Name what Luna controls under batteries, vehicles, loads or pv."
    ),
    "control-read-back-missing": RefusalReason(
        "writes: with MQTT each value needs read_back",
        "Name the topic on which the device reports its value.",
    ),
    "control-mode-missing": RefusalReason(
        "modes: {mode} is missing", "Name what is sent to the device for it."
    ),
    "control-placeholder": RefusalReason(
        "there is no placeholder {{{placeholder}}}", "Use one of: {names}."
    ),
    "sensor-ends-early": RefusalReason(
        "the sensor {name} ends before it begins", "Give an until that is later than from."
    ),
    "sensor-twice": RefusalReason(
        "the sensor {name} is listed twice for the same time",
        "End one entry (until) where the other begins (from).",
    ),
    "dates-reversed": RefusalReason(
        "valid_to {end} is not after valid_from {first}",
        "Let it end on a later day than it begins.",
    ),
    "components-overlap": RefusalReason(
        "two components named {name} hold at the same time",
        "End one (valid_to) where the other begins (valid_from), or give each its own name.",
    ),
    "holidays-unknown": RefusalReason(
        "holidays: no public holidays are known for {place}",
        "Enter a country such as DE or a region such as DE-NW, or leave holidays out.",
    ),
    "blocks-twice": RefusalReason(
        "a price has two components of blocks at the same time",
        "Put the blocks into one component, or end one (valid_to) where the other begins "
        "(valid_from).",
    ),
    "allowance-cheaper": RefusalReason(
        "a kWh beyond the allowance costs {beyond:g}, less than the {price:g} within it",
        "Raise price_beyond; energy beyond the allowance cannot be cheaper.",
    ),
    "device-price-limits": RefusalReason(
        "{name} has both kwh_per_day and hours_per_day",
        "Keep the one of your contract.",
    ),
    "zero-below-spot-counted": RefusalReason(
        "a component that counts the energy drawn cannot have zero_below_spot",
        "Leave zero_below_spot out.",
    ),
    "drawn-not-sold": RefusalReason(
        "export: component {name} depends on the energy drawn before",
        "Use it in the price of bought energy, or give a component without blocks and allowance.",
    ),
    "steps-fall": RefusalReason(
        "steps: a step ends at or before the one before, or one without an end is not the last",
        "Sort the steps by up_to_kw.",
    ),
    "plant-beyond-steps": RefusalReason(
        "the plant has {plant_kw:g} kW, the last step ends at {up_to_kw:g} kW",
        "Add a step for the rest, or leave up_to_kw out of the last one.",
    ),
    "blocks-open": RefusalReason(
        "blocks: a block has no up_to_kwh, or the last one has it",
        "Give up_to_kwh to every block except the last.",
    ),
    "peak-names": RefusalReason(
        "peak: two components of the capacity charge have the same name", "Give each its own name."
    ),
    "blocks-fall": RefusalReason(
        "blocks: block {number} ends at {up_to_kwh:g} kWh, the one before at {before:g} kWh",
        "Sort the blocks by up_to_kwh.",
    ),
    "blocks-cheaper": RefusalReason(
        "blocks: block {number} costs {price:g}, less than the {before:g} of the block before",
        "Raise its price; a later block cannot be cheaper.",
    ),
    "window-within-interval": RefusalReason(
        "the window's {clock} is not on a step of {interval_minutes} minutes",
        "Choose a time at which a step begins.",
    ),
    "name-in-other-case": RefusalReason(
        "there is already a home {other}; only upper and lower case differ",
        "Write {other} if you mean that one, or choose another name.",
        error=ConflictError,
    ),
    "site-outdated": RefusalReason(
        "the home was changed meanwhile and has version {stored}",
        "Read it again, then repeat your change.",
        error=OutdatedError,
    ),
    "site-without-configuration": RefusalReason(
        "the home is not set up",
        "Add it again with `luna site add --file site.yaml`.",
        error=NotFoundError,
    ),
    "site-unreadable": RefusalReason(
        "this version of Luna cannot read the stored home {site_id}: {message}",
        "Update Luna if a newer version stored it, or store the home again: luna site add "
        "--file site.yaml. Nothing stored is lost; luna site show --site {site_id} shows it.",
        error=UnreadableError,
        quotes=True,
    ),
    "no-such-draft": RefusalReason(
        "what was entered is no longer there", "Begin again at /ui/setup.", error=NotFoundError
    ),
    "site-clock-changes": RefusalReason(
        "the time zone has been {zone} since {since:%Y-%m-%d}; recorded data would move to "
        "other days and hours",
        "Keep the time zone, store another home for another place, or accept the change: "
        "luna site add --accept-time-zone, accept_time_zone=true over HTTP. Days that were "
        "already checked stay as they are.",
        error=ConflictError,
        kinds={"since": "day"},
    ),
    "site-armed": RefusalReason(
        "control of this home is on",
        "Turn it off first: luna control disarm --site {site_id}.",
        error=ConflictError,
    ),
    "devices-handed-back": RefusalReason(
        "the devices are just returning to their own control",
        "Try again in a moment.",
        error=ConflictError,
    ),
    "site-jobs-open": RefusalReason(
        "jobs of this home are still running",
        "Wait until job {job} and the others have ended, or cancel them.",
        error=ConflictError,
    ),
    "site-changed-meanwhile": RefusalReason(
        "the home was changed meanwhile",
        "Read it again, then repeat your change.",
        error=ConflictError,
    ),
    "draft-not-stored": RefusalReason(
        "the home is not stored yet",
        "Finish its set-up: /ui/setup/{draft_id}/review",
        error=ConflictError,
    ),
    "nobody-reached": RefusalReason(
        "no service on the internet answers",
        "Do nothing: Luna tries again every {seconds} seconds.",
        error=UnavailableError,
    ),
    "nothing-fetched": RefusalReason(
        "no service sent any data: {fault}",
        "Do nothing: Luna tries again.",
        error=UnavailableError,
    ),
    "site-keeps-name": RefusalReason(
        "the name of a home cannot be changed", "Write {site_id}, or add a new home."
    ),
    "site-without-place": RefusalReason(
        "the home has no location", "Add its location to the site's file."
    ),
}
