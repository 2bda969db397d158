"""``luna agent``: train, measure, explain and compare Antares.

It is measured on days that it has not seen; its days can be drawn.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from luna.contracts.agent import (
    DayPictureReply,
    DayPictureRequest,
    SlotTrace,
)
from luna.energy.bootstrap import BLOCK_DAYS
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_day
from luna.house.desk.servers import unit_of_work
from luna.house.desk.work import answer_request
from luna.platform.database import scores, sites
from luna.platform.extras import DRAWING, require_extra
from luna.platform.written_files import make_writable, write_whole
from luna.words import Numbers, say_policy, split_policies
from services.cli.console import JsonOption, out, table, write_json
from services.cli.declared import build_group
from services.cli.options import (
    MaybeFirstDayOption,
    MaybeLastDayOption,
    SiteOption,
    compose_request,
    find_zone,
)

app = build_group(
    "agent",
    "Train, measure and compare Antares, and show its status.",
)

PICTURE_HEADINGS = ("policy", "cost", "charges", "discharges")
PICTURE_FILES = (".svg", ".png")
SLOT_FILES = (".csv", ".json")


def _read_day(text: str) -> date:
    return parse_day(text, field="--day")


@app.command()
def compare(
    *,
    site: SiteOption,
    policies: Annotated[
        str,
        typer.Option(help="Two policies: the one to test, and the one to compare it with."),
    ] = "antares,mpc",
    first: MaybeFirstDayOption = None,
    last: MaybeLastDayOption = None,
    system_id: Annotated[
        str,
        typer.Option(help="The replays to compare: simulation or evaluation_agent."),
    ] = "simulation",
    as_json: JsonOption = False,
) -> None:
    """Compare two policies on the days that replays scored for both."""
    pair = split_policies(policies)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise InvalidInputError(
            "names two policies",
            field="--policies",
            value=policies,
            remedy="Name two, such as antares,mpc.",
        )
    from services.agent.evaluation.compare import compare_stored

    with unit_of_work() as connection:
        zone = find_zone(connection, site)
        currency = sites.load(connection, site).currency
        scored = scores.read_daily(connection, site, system_id=system_id, first=first, last=last)
    reply = compare_stored(site, scored, (pair[0], pair[1]), currency=currency)
    if as_json:
        write_json(reply.model_dump(mode="json"))
        return
    numbers = Numbers("en", zone, reply.currency)
    policy = say_policy(reply.policy, language="en")
    over = say_policy(reply.over, language="en")
    out.print(
        f"{reply.site_id}, days scored from {reply.from_day} to {reply.to_day}: "
        f"{reply.days}; {policy} beside {over}"
    )
    gain = numbers.money(reply.gain, signed=True)
    low = numbers.money(reply.low, signed=True)
    high = numbers.money(reply.high, signed=True)
    # Blocks of a week say nothing about less than two of them.
    needed = 2 * BLOCK_DAYS
    if reply.days < needed:
        out.print(
            f"Cheaper by {gain}, ahead on {reply.days_ahead} of them; fewer than {needed} "
            "days are too few to rule out chance."
        )
        return
    out.print(
        f"Cheaper by {gain}, 95 % between {low} and {high}; p {reply.p_value:.3f}; ahead "
        f"on {reply.days_ahead} of them"
    )
    if reply.points is not None:
        interval = f"[{reply.points.low:+.2f}, {reply.points.high:+.2f}]"
        out.print(
            f"In points of perfect foresight's savings: {reply.points.points:+.2f} {interval}",
            markup=False,
        )


@app.command()
def plot(
    *,
    site: SiteOption,
    day: Annotated[
        date, typer.Option("--day", parser=_read_day, metavar="DAY", help="The local day to draw.")
    ],
    to: Annotated[Path, typer.Option("--out", help="Write the picture to FILE.svg or FILE.png.")],
    policies: Annotated[
        str, typer.Option(help="One to four policies, separated by commas.")
    ] = "mpc,antares,oracle",
    slots: Annotated[
        Path | None, typer.Option(help="Also write every quarter-hour to this .csv or .json file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw a recorded day under several policies, side by side."""
    request = compose_request(
        DayPictureRequest, site_id=site, day=day, policies=split_policies(policies)
    )
    if to.suffix not in PICTURE_FILES:
        raise InvalidInputError(
            "the file's ending names no kind of picture",
            field="--out",
            value=str(to),
            remedy="Name a file that ends in .svg or .png.",
        )
    if slots is not None and slots.suffix not in SLOT_FILES:
        raise InvalidInputError(
            "slots are written as .csv or .json",
            field="--slots",
            value=slots.name,
            remedy="Choose one of these endings.",
        )
    make_writable(to.parent)
    if slots is not None:
        make_writable(slots.parent)
    if to.suffix == ".png":
        require_extra(DRAWING)
    reply: DayPictureReply = answer_request(request)
    if to.suffix == ".png":
        from luna.words.charts.files import write_png

        write_whole(to, write_png(reply.svg))
    else:
        write_whole(to, reply.svg)
    if slots is not None:
        write_whole(slots, _compose_slots(reply, slots.suffix))
    if as_json:
        write_json(reply.model_dump(mode="json", exclude={"svg"}) | {"file": str(to)})
        return
    numbers = Numbers("en", ZoneInfo("UTC"), reply.currency)
    rows = []
    for name, trace in reply.traces.items():
        cost = trace.cost - (trace.value_gain or 0.0)
        cells = [say_policy(name, language="en"), numbers.money(cost)]
        for part in (trace.charging, trace.discharging):
            price = numbers.number(part.mean_price, 3)
            cells.append(
                f"{part.kwh:.1f} kWh in {part.slots} slots at {price}, {part.cheap} of them cheap"
            )
        rows.append(cells)
    table(
        PICTURE_HEADINGS,
        rows,
        title=f"{reply.day}, out of {reply.from_day} to {reply.to_day}; stored energy counted in",
        words=PICTURE_HEADINGS[2:],
    )
    out.print(f"Drawn: {to}")


def _compose_slots(reply: DayPictureReply, suffix: str) -> str:
    """Return every slot of every policy, as JSON or as CSV with headings."""
    if suffix == ".json":
        return reply.model_dump_json(exclude={"svg"}) + "\n"
    from io import StringIO

    written = StringIO()
    rows = csv.DictWriter(written, ["policy", *SlotTrace.model_fields])
    rows.writeheader()
    for name, trace in reply.traces.items():
        for slot in trace.slots:
            rows.writerow({"policy": name, **slot.model_dump(mode="json")})
    return written.getvalue()
