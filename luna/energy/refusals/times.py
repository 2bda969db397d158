"""Refusal reasons of times, days and slots."""

from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "lost-plus": RefusalReason(
        "the offset has no sign",
        "In an address write %2B for the plus sign of the offset, as in %2B02:00, or the "
        "instant in UTC with Z.",
    ),
    "clock-skips": RefusalReason(
        "the clock of {zone} skips this time", "Write a time that comes, such as {one}."
    ),
    "time-without-offset": RefusalReason(
        "the time has no offset", 'Write it with one, for example "2024-02-01T00:00:00Z".'
    ),
    "year-out-of-range": RefusalReason(
        "the year is out of range", "Give a year from {first} to {last}."
    ),
    "clock-twice": RefusalReason(
        "the clock of {zone} shows this time twice", "Write {one} or {other}."
    ),
    "slots-not-whole": RefusalReason(
        "{first} to {last} in {zone} is no whole number of slots",
        "Use a shorter slot.",
        kinds={"first": "day", "last": "day"},
    ),
    "slots-not-ascending": RefusalReason(
        "slots are not strictly ascending", "Sort them and drop duplicates."
    ),
    "value-off-slot": RefusalReason(
        "the value does not begin with a slot", "Bring it to the slots' length first."
    ),
    "slot-length": RefusalReason("a slot has 5, 15, 30 or 60 minutes", "Choose one of them."),
    "no-slot": RefusalReason("a timeline needs at least one slot", None),
    "start-off-grid": RefusalReason(
        "the start is no multiple of five minutes", "Round it down to a slot start."
    ),
    "first-slot-length": RefusalReason(
        "what remains of the first slot lies between zero and one slot", None
    ),
    "instant-outside": RefusalReason(
        "the instant lies outside {start} to {end}",
        None,
        kinds={"start": "instant", "end": "instant"},
    ),
    "outside-calendar": RefusalReason("the time lies outside the calendar", "Check the year."),
    "not-a-time": RefusalReason(
        "not a time",
        'Write an instant like "2024-02-01T00:00:00Z", a local day like 2024-02-01 or a '
        'clock time like "2024-02-01 14:00".',
    ),
    "not-a-day": RefusalReason(
        "not a day", "Write a local day like 2024-02-01; it is asked for whole."
    ),
    "no-such-time-zone": RefusalReason(
        "no such time zone", 'Use an IANA name such as "Europe/Berlin".'
    ),
}
