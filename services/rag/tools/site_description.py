"""Tool: tells a site's devices, tariff and local time."""

from luna.contracts.site_tools import ToolSource
from luna.energy.site.inventory import list_devices_of
from luna.words.devices import KINDS
from luna.words.tariffs import say_buying, say_selling
from services.rag.tools import cues
from services.rag.tools.declaration import Findings, NoArguments, Tool, ToolContext
from services.rag.tools.question import MatchedCall, PlainQuestion
from services.rag.tools.telling import Teller


def match_site(question: PlainQuestion) -> list[MatchedCall]:
    """Return the call of a question that asks what the site has."""
    return [MatchedCall("site_description")] if question.has(cues.SITE) else []


def tell_site(context: ToolContext, _arguments: NoArguments) -> Findings:
    """Tell a site's place in time, devices and tariff."""
    teller = Teller(context)
    site = context.site
    numbers = context.numbers
    now = teller.moment("now", context.now, day=True)
    teller.say(
        "site",
        site=teller.name("site", site.name, shown=site.called),
        zone=teller.name("timezone", site.timezone),
        now=now,
        today=teller.day("today", context.today),
    )
    devices = list_devices_of(site)
    for number, device in enumerate(devices, start=1):
        figures = {
            "kind": KINDS.say(device.kind, context.numbers.language),
            "name": teller.device(f"device_{number}", device.name),
            "power": teller.figure(f"power_kw_{number}", device.power_kw, "kw"),
        }
        if device.capacity_kwh is None:
            teller.say("device", **figures)
        else:
            capacity = teller.figure(f"capacity_kwh_{number}", device.capacity_kwh, "kwh")
            teller.say("device_storing", **figures, capacity=capacity)
    if not devices:
        teller.say("no_devices")
    buying = teller.name("buying", say_buying(site.tariff.import_, numbers))
    teller.say(
        "tariff",
        buying=buying,
        selling=teller.name("selling", say_selling(site.tariff.export, numbers)),
    )
    if site.tariff.peaks:
        count = teller.figure("peak_components", len(site.tariff.peaks), "count")
        teller.say("tariff_peaks", count=count)
    source = ToolSource(what=f"configuration of site {site.name}", path=f"/v1/sites/{site.name}")
    return teller.finish(sources=(source,))


TOOL = Tool(
    "site_description",
    "What devices the site has, with power and capacity, how it buys and sells "
    "electricity, its time zone, and which local day and time it is there now.",
    NoArguments,
    tell_site,
)
