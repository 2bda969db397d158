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
        "no such site", "You have no site yet; an admin can give you one.", error=NotFoundError
    ),
    "no-site-yet": RefusalReason(
        "no such site", "Add one with `luna site add --file site.yaml`.", error=NotFoundError
    ),
    "no-such-place": RefusalReason(
        "no such place",
        "Choose one of the list, or give latitude, longitude and time zone.",
        error=NotFoundError,
    ),
    "never-charges": RefusalReason(
        "min_charge_kw {min_charge_kw} must not exceed charge_limit_kw {charge_limit_kw}, "
        "or it never charges",
        None,
    ),
    "inverter-carries-nothing": RefusalReason(
        "inverters: {inverter} carries neither pv nor batteries; name them, or leave it out", None
    ),
    "soc-bounds-crossed": RefusalReason(
        "min_soc {min_soc} must lie below max_soc {max_soc}",
        None,
        kinds={"min_soc": "share", "max_soc": "share"},
    ),
    "wear-priced-twice": RefusalReason(
        "wear_price and wear_by_depth price the same wear: give one of them", None
    ),
    "wear-depths": RefusalReason(
        "wear_by_depth: to_depth rises from segment to segment up to 1, here {depths}", None
    ),
    "wear-prices-fall": RefusalReason(
        "wear_by_depth: what lies deeper wears no less, prices here are {prices}", None
    ),
    "power-in-watts": RefusalReason(
        "{name} {power_kw:g} would move all {capacity_kwh:g} kWh within seconds; give kW, not W",
        None,
    ),
    "inverter-names-stranger": RefusalReason(
        "inverters: {inverter} names {name!r}, which is not under {kind}", None
    ),
    "behind-two-inverters": RefusalReason(
        "inverters: {name!r} stands behind two of them; one carries it", None
    ),
    "file-unreadable": RefusalReason("cannot be read: {why}", "Name a readable file."),
    "file-no-text": RefusalReason("is no UTF-8 text", "Save it as UTF-8."),
    "file-no-yaml": RefusalReason(
        "is no YAML: {why}", "Correct it at that line; config/site.yaml is an example.", quotes=True
    ),
    "site-field-fixed": RefusalReason("cannot be changed", "Change one of: {names}."),
    "no-member-of-name": RefusalReason("there is none of this name", "There are: {names}."),
    "vacation-no-such-load": RefusalReason(
        "strategy.vacation.loads_off: the site has no load {device!r}",
        None,
        kinds={"device": "device"},
    ),
    "export-share-without-pv": RefusalReason(
        "grid.export_limit_share is a share of the PV's peak power, and the site has no PV", None
    ),
    "name-twice": RefusalReason("{kind}: the name {name!r} stands twice", None),
    "control-names": RefusalReason(
        "control: everything is named once, as under {kind}; wrong is {name!r}", None
    ),
    "control-advice-names": RefusalReason(
        "by: with advice nothing is sent, so that no device is named", None
    ),
    "control-names-nothing": RefusalReason("it names no device: name what is controlled", None),
    "control-soc-missing": RefusalReason(
        "batteries: soc is needed; without it nobody knows whether a command is safe", None
    ),
    "control-read-back-missing": RefusalReason(
        "writes: read_back is needed with MQTT: the topic at which the device says what holds", None
    ),
    "control-mode-missing": RefusalReason(
        "modes: {mode} is needed; name what makes the device do that", None
    ),
    "control-placeholder": RefusalReason(
        "no such placeholder: {{{placeholder}}}; there are {names}", None
    ),
    "sensor-ends-early": RefusalReason(
        "{name} ends before it begins: let until be later than from", None
    ),
    "sensor-twice": RefusalReason(
        "{name} stands twice for the same time: let one entry end (until) where the other "
        "begins (from)",
        None,
    ),
    "blocks-open": RefusalReason(
        "blocks: each but the last needs up_to_kwh, and the last has none", None
    ),
    "peak-names": RefusalReason(
        "peak: each component of a capacity tariff needs a name of its own", None
    ),
    "blocks-fall": RefusalReason(
        "blocks: up_to_kwh rises; that of block {number} is {up_to_kwh:g} after {before:g}", None
    ),
    "blocks-cheaper": RefusalReason(
        "blocks: a later block costs at least as much; block {number} costs {price:g} "
        "after {before:g}",
        None,
    ),
    "window-within-interval": RefusalReason(
        "the window's {clock} lies within an interval of {interval_minutes} minutes", None
    ),
    "name-in-other-case": RefusalReason(
        "a site is called {other}",
        "Write {other} where you mean that one, or take another name.",
        error=ConflictError,
    ),
    "site-exists": RefusalReason(
        "there is a site of that name",
        "Take another name, or change the site that is there.",
        error=ConflictError,
    ),
    "site-outdated": RefusalReason(
        "the site has version {stored}",
        "Read the site again and change what is there.",
        error=OutdatedError,
    ),
    "no-such-site-version": RefusalReason(
        "the site had no such version",
        "Choose one of those that its page lists.",
        error=NotFoundError,
    ),
    "site-without-configuration": RefusalReason(
        "the site has no configuration",
        "Add it again with `luna site add --file site.yaml`.",
        error=NotFoundError,
    ),
    "site-unreadable": RefusalReason(
        "the stored site {site_id} cannot be read by this release: {message}",
        "Update Luna again where a newer release stored it, or store the site anew: luna "
        "site add --file site.yaml; what is"
        " stored is kept, luna site show --site {site_id} shows it.",
        error=UnreadableError,
        quotes=True,
    ),
    "no-such-draft": RefusalReason(
        "no such draft of a site", "Begin anew at /ui/setup.", error=NotFoundError
    ),
    "site-clock-changes": RefusalReason(
        "the site's clock is {zone} since {since:%Y-%m-%d}, and what is recorded would be "
        "billed and drawn by other days and hours",
        "Keep the time zone, store what is somewhere else now as a site of its own, or "
        "accept it: luna site add"
        " --accept-time-zone, accept_time_zone=true over HTTP. Days that were judged stay "
        "those of the old clock.",
        error=ConflictError,
        kinds={"since": "day"},
    ),
    "site-armed": RefusalReason(
        "the site is armed",
        "Disarm it first, so that its devices are handed back: luna control disarm --site "
        "{site_id}.",
        error=ConflictError,
    ),
    "devices-handed-back": RefusalReason(
        "the site's devices are being handed back",
        "Try again once the executor has done so.",
        error=ConflictError,
    ),
    "site-jobs-open": RefusalReason(
        "jobs of the site are open",
        "Wait until job {job} and the others of the site have ended, or cancel them.",
        error=ConflictError,
    ),
    "site-changed-meanwhile": RefusalReason(
        "the site was changed meanwhile", "Change it again from how it is now.", error=ConflictError
    ),
    "draft-not-stored": RefusalReason(
        "the site is not stored yet", "Finish it: /ui/setup/{draft_id}/review", error=ConflictError
    ),
    "nobody-reached": RefusalReason(
        "no service outside is reached",
        "It is tried again by itself, every {seconds} seconds.",
        error=UnavailableError,
    ),
    "nothing-fetched": RefusalReason(
        "nothing was fetched: {fault}",
        "It is tried again by itself.",
        error=UnavailableError,
        quotes=True,
    ),
    "site-keeps-name": RefusalReason(
        "a site keeps its name", "Write {site_id}, or add a new site."
    ),
    "site-without-place": RefusalReason(
        "the site does not say where it is", "Add its location to the site's file."
    ),
    "no-such-site-of-caller": RefusalReason(
        "no such site", "Name one of your sites.", error=NotFoundError
    ),
}
