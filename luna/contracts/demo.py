"""Load the demo's year: two sites with what they used and produced, and the prices they share."""

from datetime import date
from typing import ClassVar

from luna.contracts.message import Message, Request
from luna.contracts.plan import Language
from luna.site import Site

Bilingual = dict[Language, str]


class Provenance(Message):
    """Where one series comes from, under which licence, and what was done to it; texts by language."""

    series: Bilingual
    source: Bilingual
    licence: Bilingual
    period: Bilingual
    changes: Bilingual
    quality: Bilingual
    sha256: str


class DemoSiteReply(Message):
    """A site of the demo as it is stored, what its year adds up to, and where its series come from."""

    site: Site
    yearly_load_kwh: float
    yearly_pv_kwh: float
    provenance: list[Provenance]


class DemoLoadReply(Message):
    """What is stored now. ``rows_written`` counts rows added or changed: 0 where all of it was there.

    Any day from ``test_first_day`` to ``test_last_day`` may be replayed by a model that learned from the days before the first.
    """

    sites: list[DemoSiteReply]
    price_provenance: Provenance
    test_first_day: date
    test_last_day: date
    rows_written: int


class DemoLoadRequest(Request):
    """Store the demo's year, downloading what is not cached; refused where an owner's site or prices stand in its place."""

    task: ClassVar[str] = "ingest.demo.load"
    reply: ClassVar[type[Message]] = DemoLoadReply
