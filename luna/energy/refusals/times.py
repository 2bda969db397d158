"""Refusal reasons of times, days and slots."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "lost-plus": RefusalReason(
        "the time's offset has no sign",
        "Write %2B for the plus sign in an address, as in %2B02:00, or give the time in UTC "
        "with Z.",
    ),
    "clock-skips": RefusalReason(
        "this time does not exist in {zone}: the clocks go forward",
        "Choose another time, such as {one}.",
    ),
    "time-without-offset": RefusalReason(
        "the time has no offset", 'Add the offset, as in "2024-02-01T00:00:00Z".'
    ),
    "clock-twice": RefusalReason(
        "this time occurs twice in {zone}: the clocks go back", "Write {one} or {other}."
    ),
    "slots-not-whole": RefusalReason(
        "{first} to {last} in {zone} is not a whole number of slots",
        "Use a shorter slot.",
        kinds={"first": "day", "last": "day"},
    ),
    "slots-not-ascending": RefusalReason(
        "the slots are not in ascending order", "Sort them and remove duplicates."
    ),
    "value-off-slot": RefusalReason(
        "the value does not begin at the start of a slot",
        "Convert the values to the slots' length first.",
    ),
    "slot-length": RefusalReason(
        "this slot length is not possible", "Choose 5, 15, 30 or 60 minutes."
    ),
    "no-slot": RefusalReason("the time is shorter than one slot", "Choose a longer time."),
    "start-off-grid": RefusalReason(
        "the start is not a multiple of five minutes", "Round it down to the start of a slot."
    ),
    "first-slot-length": RefusalReason(
        "the rest of the first slot is longer than a slot, or not above zero",
        "Correct the minutes of the first slot.",
    ),
    "instant-outside": RefusalReason(
        "the time is not between {start} and {end}",
        "Choose a time between them.",
        kinds={"start": "instant", "end": "instant"},
    ),
    "outside-calendar": RefusalReason("the date is out of range", "Check the year."),
    "not-a-time": RefusalReason(
        "this is not a time",
        'Write a time like "2024-02-01T00:00:00Z", a day like 2024-02-01 or a local time '
        'like "2024-02-01 14:00".',
    ),
    "no-such-time-zone": RefusalReason(
        "this time zone does not exist", 'Use a name such as "Europe/Berlin".'
    ),
}
