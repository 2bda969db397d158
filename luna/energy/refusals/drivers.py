"""Refusal reasons of device drivers and their profiles."""

from luna.energy.errors import ConflictError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "device-silent": RefusalReason(
        "the device does not answer",
        "Check that it is on and in the network, and that its interface (Modbus TCP, HTTP "
        "or MQTT) is switched on in it.",
        error=UnavailableError,
    ),
    "device-refuses": RefusalReason(
        "the device refuses register {register} (exception {code})",
        "Check that it is the product of the profile, that it lets itself be controlled "
        "over Modbus, and the number of its unit.",
        error=UnavailableError,
    ),
    "device-answer-short": RefusalReason(
        "the device answers with too few registers at {register}",
        "Try again; if it stays so, it is another product.",
        error=UnavailableError,
    ),
    "device-no-sunspec": RefusalReason(
        "what answers is no SunSpec device",
        "Switch SunSpec (Modbus) on in it, or take the profile of its product.",
        error=UnavailableError,
    ),
    "device-model-missing": RefusalReason(
        "the device has no SunSpec model {model}, which the profile {profile} needs",
        "Take the profile of its product, or switch that model on in the device.",
        error=UnavailableError,
    ),
    "device-other-product": RefusalReason(
        "what answers is another product than the profile {profile} is for",
        "Take the profile of what it is: luna devices scan asks it.",
        error=UnavailableError,
    ),
    "device-value-unknown": RefusalReason(
        "nobody knows what to write to {point}: the device does not say its own limits",
        "Look at the device: it may still be starting.",
        error=UnavailableError,
    ),
    "device-unauthorized": RefusalReason(
        "the device lets nobody in without its password",
        "Write the password into a file that via.secret names: docs/guide/en/devices.md.",
        error=UnavailableError,
    ),
    "device-http-status": RefusalReason(
        "the device answers {at} with status {status}",
        "Check that it is the product of the profile, and its firmware.",
        error=UnavailableError,
    ),
    "device-answer-unreadable": RefusalReason(
        "what the device answers at {at} is no JSON document",
        "Check that it is the product of the profile, and its firmware.",
        error=UnavailableError,
    ),
    "device-keeps-value": RefusalReason(
        "the device keeps what it had at {point}",
        "Check that it lets itself be controlled, and what else commands it.",
        error=UnavailableError,
    ),
    "device-stands-still": RefusalReason(
        "the device answers, but its own heartbeat has stood still for {seconds} s: what "
        "it says may be as old",
        "Look at the device: it may hang. Switch it off and on.",
        error=UnavailableError,
    ),
    "device-prefix-missing": RefusalReason(
        "the profile {profile} wants to know how the device's topics begin",
        "Name it: prefix, such as shellypro3em-0123456789ab or the id of a portal.",
    ),
    "device-secret-missing": RefusalReason(
        "there is no secret in {path}", "Write user:password, or the token, into that file."
    ),
    "device-secret-open": RefusalReason(
        "others can read {path}", "Let its owner alone read it: chmod 600."
    ),
    "device-writes-spent": RefusalReason(
        "the device was written to as often as its memory bears in a day; from {until} on "
        "it may be again",
        "Nothing is to be done: until then it does what it does by itself.",
        error=UnavailableError,
        kinds={"until": "instant"},
    ),
    "device-soc-unknown": RefusalReason(
        "the device does not say how full its battery is, and without that nothing is tried",
        "Look at the device: it may still be starting.",
        error=UnavailableError,
    ),
    "device-commanded": RefusalReason(
        "the batteries of {site} follow their plans, and two masters at once are none",
        "Disarm it first: luna control disarm --site {site}.",
        error=ConflictError,
    ),
    "device-paused": RefusalReason(
        "the device is paused: Luna has handed it back and leaves it alone",
        "Resume it first: luna control resume --site SITE --device {device}.",
        error=ConflictError,
    ),
    "device-tried-already": RefusalReason(
        "a battery is being tried just now",
        "Wait half a minute, and try again.",
        error=ConflictError,
    ),
    "device-address-unreadable": RefusalReason(
        "is no address of a device",
        "Write its name or address in your network, and its port as a number.",
    ),
    "device-battery-unclear": RefusalReason(
        "which battery is behind it is not clear",
        "Name one of {names}; one that is missing goes into the site first.",
    ),
    "device-not-handed-back": RefusalReason(
        "the battery could not be handed back to its own self-consumption, and it does not "
        "fall back by itself",
        "Set it to self-consumption in its own app.",
        error=UnavailableError,
    ),
    "device-reverts-alone": RefusalReason(
        "the battery could not be handed back; by itself it falls back to its own "
        "self-consumption after {after_s} s",
        "Look whether it does, in its own app.",
        error=UnavailableError,
    ),
    "device-address-refused": RefusalReason(
        "the address lies outside the home network",
        "Write its name, or its address in your network such as 192.168.1.20.",
        error=UnavailableError,
    ),
    "device-port-taken": RefusalReason(
        "the port is taken", "Name another one.", error=UnavailableError
    ),
    "broker-refuses-login": RefusalReason(
        "the broker does not let Luna in with this user and password",
        "Check both.",
        error=UnavailableError,
    ),
    "network-secret-place": RefusalReason(
        "a password is shown to one device or broker alone", "Name the address that it is for."
    ),
    "network-unreadable": RefusalReason(
        "is no network", "Write it like 192.168.1.0/24, or name one device."
    ),
    "network-too-large": RefusalReason(
        "has more than {most} addresses", "Name a smaller network, or the device itself."
    ),
    "network-public": RefusalReason(
        "is no private network", "Name one of your home, such as 192.168.1.0/24."
    ),
    "port-unreadable": RefusalReason(
        "is no port", "Name a number from 1 to 65535, or leave it empty."
    ),
    "profile-unknown": RefusalReason("no such profile", "There are {names}."),
    "profile-not-commanded": RefusalReason(
        "is the profile of a meter, which takes no commands",
        "Take the profile of the battery's inverter.",
    ),
    "profile-not-tried": RefusalReason(
        "the profile cannot be tried: it reads no power of a battery, or commands none",
        "Take the profile of the battery's inverter.",
    ),
    "profile-not-shared": RefusalReason(
        "other programs share an inverter over Modbus alone, and {profile} is none",
        "Leave the port out; luna devices proxy shares a meter over Modbus.",
    ),
    "profile-unreadable": RefusalReason(
        "is no profile: {why}",
        "Compare it with a profile that comes along: docs/guide/en/own-device.md.",
    ),
    "profile-misnamed": RefusalReason(
        "the file is called {name}, and the profile in it otherwise", "Call both the same."
    ),
    "profile-write-value": RefusalReason(
        "modes: what is written to {point} is either a value, or put; of stands beside "
        "power_percent and value alone",
        None,
    ),
    "profile-point-unknown": RefusalReason("there is no point {point} under points", None),
    "profile-example": RefusalReason(
        "identified: the example at {place} does not fit its text", None
    ),
    "profile-point-write-only": RefusalReason(
        "the point {point} is only written, and something reads it", None
    ),
    "profile-unit": RefusalReason(
        "points: {point} has no unit that is read as {reading}, which is in {unit}", None
    ),
    "profile-budget-short": RefusalReason(
        "modes: {mode} has to be said again each {resend_s} s, more often than any of its "
        "points may be written in a day",
        "Give one of them budget_per_day.",
    ),
    "profile-sunspec-missing": RefusalReason("sunspec: needed where a point lies in a model", None),
    "profile-point-transport": RefusalReason(
        "points: {point} is no point of the transport {transport}", None
    ),
    "profile-http-commanded": RefusalReason(
        "transport: over HTTP meters are read, and nothing is commanded", None
    ),
    "profile-meter-commanded": RefusalReason("modes: a meter takes no commands", None),
    "profile-mode-missing": RefusalReason(
        "modes: {mode} is missing; each of Luna's modes has its writes, but save and "
        "supply where charge_w, discharge_w, import_w and export_w are read",
        None,
    ),
    "profile-flows-missing": RefusalReason(
        "reads: ac_power_w follows from {names}; name them all", None
    ),
    "profile-reverts-missing": RefusalReason(
        "reverts: say what the device does when nobody commands it any more", None
    ),
    "profile-soc-missing": RefusalReason(
        "reads: soc is missing; without it nobody knows whether a command is safe", None
    ),
    "profile-persistence-missing": RefusalReason(
        "points: say of {point} where it keeps what is written: volatile, flash or unknown", None
    ),
    "profile-write-to-missing": RefusalReason(
        "points: say of {point} to which topic it is written: write_to", None
    ),
    "profile-heartbeat-endless": RefusalReason(
        "reverts: device_heartbeat needs after_s, for which {point} may stand still", None
    ),
    "profile-resend-late": RefusalReason(
        "reverts: let resend_s be at most half of after_s ({after_s} s), so that one may be lost",
        None,
    ),
    "control-via-and-writes": RefusalReason(
        "batteries: with via the profile knows soc, modes and writes; leave them out", None
    ),
    "control-writes-missing": RefusalReason(
        "batteries: name what is written (writes), or the profile that knows it (via)", None
    ),
    "control-via-missing": RefusalReason(
        "batteries: by profile each battery needs via, and nothing else is named", None
    ),
}
