"""What a kind of device needs in words."""

from dataclasses import dataclass, field

from luna.words.language import Language
from luna.words.words import Words

Spoken = dict[Language, str]
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWords:
    """What is said of a kind of device, by language.

    Args:
        kind: what the kind is called where devices are listed; None: its devices are not.
        prefix: what stands before a device's name in ``compromises``; None: none name one.
        names: by how a device is named to Luna: all of the kind, and what a site's file calls one that it leaves unnamed.
        waiting: by the column of what its devices use without the unit, what is called so where that might wait.
        series: its columns of the quarter-hours, and what plans say of its devices together.
        roles: its roles of ``input_sensors``.
        setup: phrases of set-up that speak of the kind.
        entities: what Home Assistant calls what is shown of a device, ``{device}``.
        fields: of the gateway's messages, in the English of the documentation.
        defaults: what a default that costs money means for the bill, by its field, in the English of the command line.
        compromises: what a plan could not hold: what was wanted, and what is missing of it. Fields of requests stay as they are written there.
        cause: why a plan is another one where its devices did something else than planned; None: that is no cause.
        notes: what a plan rests on.
        assumed: those notes whose plan would be another one if what they say turns out otherwise.
        doubts: those of what was said and is not believed yet.
        figures: those of ``reasons`` that no other kind has: name → how it is said, see ``luna.words.words``.
        reasons: why a device runs or waits.
    """

    kind: Spoken | None = None
    prefix: Spoken | None = None
    names: dict[str, Spoken]
    waiting: dict[str, Spoken] = field(default_factory=dict)
    series: dict[str, Spoken] = field(default_factory=dict)
    roles: dict[str, Spoken] = field(default_factory=dict)
    setup: dict[str, Spoken] = field(default_factory=dict)
    entities: dict[str, Spoken] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    compromises: dict[str, dict[Language, Pair]] = field(default_factory=dict)
    cause: Spoken | None = None
    notes: dict[str, Spoken] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    figures: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, Words] = field(default_factory=dict)
