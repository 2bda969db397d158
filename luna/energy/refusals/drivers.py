"""Refusal reasons of device drivers and their profiles."""

from luna.energy.errors import ConflictError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "device-silent": RefusalReason(
        "the device does not answer",
        "Check that it is on and in the network, and that its interface (Modbus TCP, HTTP, MQTT or "
        "P1) is enabled.",
        error=UnavailableError,
    ),
    "device-refuses": RefusalReason(
        "the device refuses register {register} (exception {code})",
        "Check the profile, the unit number, and that the device allows control over Modbus.",
        error=UnavailableError,
    ),
    "charge-point-away": RefusalReason(
        "the charge point is not connected to Luna",
        "Check that it is on, and that its OCPP address is Luna's: ws://, this machine, port 8887, "
        "/ocpp/ and its name.",
        error=UnavailableError,
    ),
    "charge-point-refuses": RefusalReason(
        "the charge point refuses what it is to do: {why}",
        "Check its settings for OCPP and smart charging, and that its product is the right one.",
        error=UnavailableError,
    ),
    "charge-points-unserved": RefusalReason(
        "no process of Luna's serves charge points",
        "Start Luna with luna up, or the container ocpp; the setting ocpp_port must not be 0.",
        error=UnavailableError,
    ),
    "device-answer-short": RefusalReason(
        "the device sends too few registers at {register}",
        "Try again; if it happens again, it is another product.",
        error=UnavailableError,
    ),
    "device-no-sunspec": RefusalReason(
        "the device does not speak SunSpec",
        "Enable SunSpec (Modbus) on it, or choose the profile of its product.",
        error=UnavailableError,
    ),
    "device-model-missing": RefusalReason(
        "the device has no SunSpec model {model}, which the profile {profile} needs",
        "Choose the profile of its product, or enable that model on the device.",
        error=UnavailableError,
    ),
    "device-other-product": RefusalReason(
        "the device that answers is not the product of the profile {profile}",
        "Choose the profile of its product; luna devices scan finds it.",
        error=UnavailableError,
    ),
    "device-value-unknown": RefusalReason(
        "the device does not report its own limits, which are needed to write {point}",
        "Wait until it has started, then try again.",
        error=UnavailableError,
    ),
    "device-unauthorized": RefusalReason(
        "the device asks for a password",
        "Write the password into a file that via.secret names: docs/guide/en/devices.md.",
        error=UnavailableError,
    ),
    "device-http-status": RefusalReason(
        "the device answers {at} with status {status}",
        "Check the profile, and the device's firmware.",
        error=UnavailableError,
    ),
    "device-answer-unreadable": RefusalReason(
        "the device's answer at {at} is not JSON",
        "Check the profile, and the device's firmware.",
        error=UnavailableError,
    ),
    "device-keeps-value": RefusalReason(
        "the device did not accept the new value for {point}",
        "Allow control on the device, and check whether something else controls it.",
        error=UnavailableError,
    ),
    "device-stands-still": RefusalReason(
        "the device answers, but its heartbeat has not changed for {seconds} s, so its "
        "values may be as old",
        "Switch the device off and on; it may hang.",
        error=UnavailableError,
    ),
    "device-telegrams-unreadable": RefusalReason(
        "the meter sends telegrams that cannot be read",
        "Check the converter and its speed; telegrams need a CRC (DSMR 4 or later). A meter that "
        "encrypts needs its own key.",
        error=UnavailableError,
    ),
    "device-prefix-missing": RefusalReason(
        "the profile {profile} needs the start of the device's topics, or its serial number",
        "Give it as prefix, such as shellypro3em-0123456789ab, the id of a portal, or the number "
        "on the meter.",
    ),
    "device-secret-missing": RefusalReason(
        "there is no password in {path}", "Write user:password, or the token, into that file."
    ),
    "device-certificate-other": RefusalReason(
        "the device shows a certificate with another SHA-256: {sha256}",
        "If it is the device's own, write it, a colon and the token into the file of the secret.",
        error=UnavailableError,
    ),
    "device-key-malformed": RefusalReason(
        "the meter's key is not 32 hexadecimal digits",
        "Write the key that your grid operator gave you, alone, into the file of the secret.",
    ),
    "device-secret-open": RefusalReason(
        "others can read {path}", "Allow only its owner to read it: chmod 600."
    ),
    "device-writes-spent": RefusalReason(
        "the device reached its daily limit of writes; the next is allowed from {until} on",
        "Do nothing: until then the device controls itself. This protects its memory.",
        error=UnavailableError,
        kinds={"until": "instant"},
    ),
    "device-soc-unknown": RefusalReason(
        "the device does not report its battery level, so nothing is tested",
        "Wait until it has started, then try again.",
        error=UnavailableError,
    ),
    "device-commanded": RefusalReason(
        "Luna already controls the batteries of {site}",
        "Turn control off first: luna control disarm --site {site}.",
        error=ConflictError,
    ),
    "device-untried": RefusalReason(
        "Luna only reads {device} until it was tried: nobody has verified how to command a "
        "{profile}",
        "Try it (luna devices test --move): a battery moves with 200 W for half a minute, a car "
        "charges with 6 A for a minute.",
        error=ConflictError,
    ),
    "device-paused": RefusalReason(
        "the device is paused",
        "Resume it first: luna control resume --site SITE --device {device}.",
        error=ConflictError,
    ),
    "device-tried-already": RefusalReason(
        "a battery is being tested right now",
        "Wait half a minute, then try again.",
        error=ConflictError,
    ),
    "device-address-unreadable": RefusalReason(
        "is not the address of a device",
        "Give its name or network address, and its port as a number.",
    ),
    "device-not-handed-back": RefusalReason(
        "the battery could not be returned to its own self-consumption, and it does not go "
        "back alone",
        "Set it to self-consumption in its own app.",
        error=UnavailableError,
    ),
    "device-reverts-alone": RefusalReason(
        "the battery could not be returned to its own self-consumption; it goes back alone "
        "after {after_s} s",
        "Check in its app that it does.",
        error=UnavailableError,
    ),
    "device-address-refused": RefusalReason(
        "the address lies outside the home network",
        "Write its name, or its address in your network such as 192.168.1.20.",
        error=UnavailableError,
    ),
    "device-port-taken": RefusalReason(
        "another program already uses this port", "Choose another port.", error=UnavailableError
    ),
    "broker-refuses-login": RefusalReason(
        "the broker does not accept this user and password",
        "Check both.",
        error=UnavailableError,
    ),
    "network-secret-place": RefusalReason(
        "a password is not sent to a whole network", "Name the address of one device."
    ),
    "network-unreadable": RefusalReason(
        "is not a network", "Write it like 192.168.1.0/24, or name one device."
    ),
    "network-too-large": RefusalReason(
        "the network has more than {most} addresses", "Name a smaller network, or one device."
    ),
    "network-public": RefusalReason(
        "is not a home network", "Name one of yours, such as 192.168.1.0/24."
    ),
    "port-unreadable": RefusalReason(
        "is not a port", "Give a number from 1 to 65535, or leave it empty."
    ),
    "profile-not-commanded": RefusalReason(
        "is the profile of a device that can only be read",
        "Choose the profile of the battery's inverter.",
    ),
    "profile-not-tried": RefusalReason(
        "the profile cannot be tested: it reads or controls no battery power",
        "Choose the profile of the battery's inverter.",
    ),
    "profile-not-shared": RefusalReason(
        "{profile} cannot be shared with other programs: it is not an inverter over Modbus",
        "Leave the port out; luna devices proxy shares a meter over Modbus.",
    ),
    "profile-unreadable": RefusalReason(
        "is not a profile: {why}",
        "Compare it with a profile that comes with Luna: docs/guide/en/own-device.md.",
    ),
    "profile-misnamed": RefusalReason(
        "the file {name} and the profile in it have different names", "Give both the same name."
    ),
    "profile-write-value": RefusalReason(
        "modes: the value written to {point} is not clear",
        "Give value or put; use of only with power_percent and value.",
    ),
    "profile-point-unknown": RefusalReason(
        "the point {point} is missing under points", "Add it there."
    ),
    "profile-example": RefusalReason(
        "identified: the example for {place} does not match its pattern",
        "Give an example that the whole pattern matches.",
    ),
    "profile-point-write-only": RefusalReason(
        "the point {point} is write-only, but the profile reads it",
        "Read another point, or remove write_only.",
    ),
    "profile-unit": RefusalReason(
        "points: the unit of {point} does not fit {reading}", "Give {unit}, or a multiple of it."
    ),
    "profile-budget-short": RefusalReason(
        "modes: {mode} repeats every {resend_s} s, more often than any of its points may be "
        "written in a day",
        "Give one of its points budget_per_day.",
    ),
    "profile-sunspec-missing": RefusalReason(
        "sunspec is missing, but a point belongs to a SunSpec model",
        "Name the product's models under sunspec.",
    ),
    "profile-point-transport": RefusalReason(
        "points: {point} does not fit the transport {transport}",
        "Give it register for Modbus, or at for HTTP and MQTT.",
    ),
    "profile-meter-commanded": RefusalReason(
        "modes: a meter cannot be controlled", "Remove modes."
    ),
    "profile-mode-missing": RefusalReason(
        "modes: {mode} is missing",
        "Add it; only save and supply may be missing, where the profile reads charge_w, "
        "discharge_w, import_w and export_w.",
    ),
    "profile-mode-foreign": RefusalReason(
        "modes: {mode} is no mode of the kind {kind}", "Remove it, or give another kind."
    ),
    "profile-part-foreign": RefusalReason(
        "modes: {put} cannot be put for the kind {kind}", "Put another part, or a fixed value."
    ),
    "profile-charge-unlimited": RefusalReason(
        "modes: charge limits neither current nor power", "Put current_a or power_w in it."
    ),
    "profile-charger-traits": RefusalReason(
        "charger does not fit the kind: a charge point needs it, nothing else has it",
        "Give phases and currents of a charge point under charger, or remove charger.",
    ),
    "profile-text-point": RefusalReason(
        "points: a text in register {register} needs count and codes; a number has no count",
        "Give both with type: text, or remove count.",
    ),
    "profile-flows-missing": RefusalReason(
        "reads: ac_power_w cannot be worked out", "Name all of {names}."
    ),
    "profile-reverts-missing": RefusalReason(
        "reverts is missing: what the device does without commands", "Add reverts."
    ),
    "profile-persistence-missing": RefusalReason(
        "points: the memory of {point} is missing", "Give volatile, flash or unknown."
    ),
    "profile-write-to-missing": RefusalReason(
        "points: the topic or path to write {point} is missing", "Give it as write_to."
    ),
    "profile-write-value-missing": RefusalReason(
        "points: the request that writes {point} does not carry the number",
        "Put value in braces where the number belongs, in write_to or write_body.",
    ),
    "profile-heartbeat-endless": RefusalReason(
        "reverts: how long the device's heartbeat {point} may stop is missing", "Give after_s."
    ),
    "profile-resend-late": RefusalReason(
        "reverts: commands repeat too late, the device goes back after {after_s} s",
        "Set resend_s to at most half of after_s, so that one may be lost.",
    ),
    "control-via-and-writes": RefusalReason(
        "a device has both a profile (via) and its own commands",
        "Remove soc, modes and writes, or remove via.",
    ),
    "control-via-no-charger": RefusalReason(
        "the currents and phases with which {vehicle} charges are missing",
        "Add charger to the vehicle: its phases and its highest current.",
    ),
    "profile-other-kind": RefusalReason(
        "the profile does not fit: it is of the kind {profile_kind}, and {needed} is needed",
        "Choose another profile: see luna devices list.",
    ),
    "profile-phases-fixed": RefusalReason(
        "the charger cannot switch between one and three phases",
        "Give the vehicle's charger the phases that it is connected with, [1] or [3].",
    ),
    "control-writes-missing": RefusalReason(
        "how to control a device is missing",
        "Name its commands (writes) or its profile (via).",
    ),
    "control-via-missing": RefusalReason(
        "a device has no profile (via)",
        "Give each device profile and address, or choose another way.",
    ),
}
