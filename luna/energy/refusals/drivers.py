"""What is refused of devices that Luna speaks to itself, and of their profiles."""

from luna.energy.errors import UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "device-silent": RefusalReason(
        "the device does not answer", "Check that it is on and in the network, and that Modbus TCP is switched on in it.", error=UnavailableError
    ),
    "device-refuses": RefusalReason(
        "the device refuses register {register} (exception {code})",
        "Check that it is the product of the profile, that it lets itself be controlled over Modbus, and the number of its unit.",
        error=UnavailableError,
    ),
    "device-answer-short": RefusalReason(
        "the device answers with too few registers at {register}", "Try again; if it stays so, it is another product.", error=UnavailableError
    ),
    "device-no-sunspec": RefusalReason(
        "what answers is no SunSpec device", "Switch SunSpec (Modbus) on in it, or take the profile of its product.", error=UnavailableError
    ),
    "device-model-missing": RefusalReason(
        "the device has no SunSpec model {model}, which the profile {profile} needs",
        "Take the profile of its product, or switch that model on in the device.",
        error=UnavailableError,
    ),
    "device-value-unknown": RefusalReason(
        "nobody knows what to write to {point}: the device does not say its own limits", "Look at the device: it may still be starting.", error=UnavailableError
    ),
    "device-port-taken": RefusalReason("the port is taken", "Name another one.", error=UnavailableError),
    "network-unreadable": RefusalReason("is no network", "Write it like 192.168.1.0/24, or name one device."),
    "network-too-large": RefusalReason("has more than {most} addresses", "Name a smaller network, or the device itself."),
    "profile-unknown": RefusalReason("no such profile", "There are {names}."),
    "profile-not-commanded": RefusalReason("is the profile of a meter, which takes no commands", "Take the profile of the battery's inverter."),
    "profile-unreadable": RefusalReason("is no profile: {why}", "Compare it with a profile that comes along: docs/guide/en/own-device.md."),
    "profile-misnamed": RefusalReason("the file is called {name}, and the profile in it otherwise", "Call both the same."),
    "profile-write-value": RefusalReason("modes: what is written to {point} is either a value, or put; of stands beside power_percent and value alone", None),
    "profile-point-unknown": RefusalReason("there is no point {point} under points", None),
    "profile-point-write-only": RefusalReason("the point {point} is only written, and something reads it", None),
    "profile-unit": RefusalReason("points: {point} has no unit that is read as {reading}, which is in {unit}", None),
    "profile-sunspec-missing": RefusalReason("sunspec: needed where a point lies in a model", None),
    "profile-meter-commanded": RefusalReason("modes: a meter takes no commands", None),
    "profile-mode-missing": RefusalReason("modes: {mode} is missing; each of Luna's modes has its writes", None),
    "profile-reverts-missing": RefusalReason("reverts: say what the device does when nobody commands it any more", None),
    "profile-soc-missing": RefusalReason("reads: soc is missing; without it nobody knows whether a command is safe", None),
    "profile-persistence-missing": RefusalReason("points: say of {point} where it keeps what is written: volatile, flash or unknown", None),
    "profile-resend-late": RefusalReason("reverts: let resend_s be at most half of after_s ({after_s} s), so that one may be lost", None),
    "control-via-and-writes": RefusalReason("batteries: with via the profile knows soc, modes and writes; leave them out", None),
    "control-writes-missing": RefusalReason("batteries: name what is written (writes), or the profile that knows it (via)", None),
    "control-via-missing": RefusalReason("batteries: by profile each battery needs via, and nothing else is named", None),
}
