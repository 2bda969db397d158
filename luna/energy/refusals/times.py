"""Times, days and slots that cannot be used."""

from luna.energy.refusals.reason import PageText, RefusalReason

REASONS: dict[str, RefusalReason] = {
    "lost-plus": RefusalReason(
        "the offset has no sign",
        "In an address write %2B for the plus sign of the offset, as in %2B02:00, or the instant in UTC with Z.",
        PageText("Das ist keine lesbare Zeitangabe.", "Wähl Tag und Uhrzeit neu."),
        PageText("This is no time that can be read.", "Choose day and time anew."),
    ),
    "clock-skips": RefusalReason(
        "the clock of {zone} skips this time",
        "Write a time that comes, such as {one}.",
        PageText("Bei der Zeitumstellung fällt diese Uhrzeit aus.", "Wähl eine Stunde früher oder später."),
        PageText("When the clocks go forward, this time is left out.", "Choose one an hour before or after."),
    ),
    "time-without-offset": RefusalReason(
        "the time has no offset",
        'Write it with one, for example "2024-02-01T00:00:00Z".',
        PageText("Das ist keine lesbare Zeitangabe.", "Wähl Tag und Uhrzeit neu."),
        PageText("This is no time that can be read.", "Choose day and time anew."),
    ),
    "year-out-of-range": RefusalReason(
        "the year is out of range",
        "Give a year from {first} to {last}.",
        PageText("Dieses Jahr liegt außerhalb des Kalenders.", "Gib ein Jahr von {first} bis {last} an."),
    ),
    "clock-twice": RefusalReason(
        "the clock of {zone} shows this time twice",
        "Write {one} or {other}.",
        PageText("Bei der Zeitumstellung gibt es diese Uhrzeit zweimal.", "Wähl eine Stunde früher oder später."),
        PageText("When the clocks go back, this time comes twice.", "Choose one an hour before or after."),
    ),
    "slots-not-whole": RefusalReason(
        "{first} to {last} in {zone} is no whole number of slots",
        "Use a shorter slot.",
        PageText("{first:day} bis {last:day} sind in {zone} keine ganze Zahl von Zeitschritten.", "Nimm einen kürzeren Zeitschritt."),
    ),
    "slots-not-ascending": RefusalReason(
        "slots are not strictly ascending",
        "Sort them and drop duplicates.",
        PageText("Die Zeitschritte stehen nicht in aufsteigender Folge.", "Sortiere sie, und lass doppelte weg."),
    ),
    "value-off-slot": RefusalReason(
        "the value does not begin with a slot",
        "Bring it to the slots' length first.",
        PageText("Der Wert beginnt nicht mit einem Zeitschritt.", "Bring ihn zuerst auf die Länge der Zeitschritte."),
    ),
    "slot-length": RefusalReason(
        "a slot has 5, 15, 30 or 60 minutes",
        "Choose one of them.",
        PageText("Ein Zeitschritt hat 5, 15, 30 oder 60 Minuten.", "Wähl eine dieser Längen."),
    ),
    "no-slot": RefusalReason(
        "a timeline needs at least one slot",
        None,
        PageText("Es braucht mindestens einen Zeitschritt.", "Wähl einen längeren Zeitraum."),
    ),
    "start-off-grid": RefusalReason(
        "the start is no multiple of five minutes",
        "Round it down to a slot start.",
        PageText("Der Beginn ist kein Vielfaches von fünf Minuten.", "Runde ihn auf den Beginn eines Zeitschritts ab."),
    ),
    "first-slot-length": RefusalReason(
        "what remains of the first slot lies between zero and one slot",
        None,
        PageText("Was vom ersten Zeitschritt bleibt, liegt zwischen null und einem Zeitschritt.", "Verbessere die Minuten des ersten Zeitschritts."),
    ),
    "instant-outside": RefusalReason(
        "the instant lies outside {start} to {end}",
        None,
        PageText("Der Zeitpunkt liegt außerhalb von {start:instant} bis {end:instant}.", "Wähl einen Zeitpunkt dazwischen."),
    ),
    "outside-calendar": RefusalReason(
        "the time lies outside the calendar",
        "Check the year.",
        PageText("Dieser Zeitpunkt liegt außerhalb des Kalenders.", "Prüf das Jahr."),
    ),
    "not-a-time": RefusalReason(
        "not a time",
        'Write an instant like "2024-02-01T00:00:00Z", a local day like 2024-02-01 or a clock time like "2024-02-01 14:00".',
        PageText("Das ist keine lesbare Zeitangabe.", "Wähl Tag und Uhrzeit neu."),
        PageText("This is no time that can be read.", "Choose day and time anew."),
    ),
    "not-a-day": RefusalReason(
        "not a day",
        "Write a local day like 2024-02-01; it is asked for whole.",
        PageText("Das ist kein lesbarer Tag.", "Schreib ihn wie 2024-02-01."),
        PageText("This is no day that can be read.", "Write it like 2024-02-01."),
    ),
    "no-such-time-zone": RefusalReason(
        "no such time zone",
        'Use an IANA name such as "Europe/Berlin".',
        PageText("Diese Zeitzone gibt es nicht.", "Schreib sie wie Europe/Berlin."),
        PageText("There is no such time zone.", "Write it like Europe/Berlin."),
    ),
}
