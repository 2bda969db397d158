"""``luna what-if`` and ``luna why-not``: costs of other choices.

The first replays other equipment, tariffs or rules; the second changes a set-point in a plan.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from luna.contracts.counterfactual import (
    PlanVariantReply,
    Variant,
    WhatIfRequest,
    WhatIfState,
    WhyNotReply,
)
from luna.energy.errors import InvalidInputError
from luna.energy.timeline import parse_zone, site_clock
from luna.platform.capabilities.alternatives import (
    VariantQuestion,
    WhyNotQuestion,
    ask_what_if,
    ask_why_not,
    plan_variant,
    read_what_if,
)
from luna.platform.capabilities.jobs import read_job
from luna.platform.capability import Capability
from luna.platform.clock import SystemClock
from luna.platform.desk.desk import Desk
from luna.platform.desk.servers import open_database
from luna.platform.desk.work import await_end
from luna.platform.written_files import make_writable, write_whole
from luna.words import Language
from services.cli.console import JsonOption, follow_progress
from services.cli.declared import emit_reply, open_desk
from services.cli.options import (
    MaybeFirstDayOption,
    MaybeLastDayOption,
    compose_request,
    read_document,
)
from services.cli.plan_table import read_stored, show_compromises
from services.cli.server import find_server


def show_what_if(  # noqa: PLR0913 - one per option
    *,
    site: Annotated[str | None, typer.Option(help="A stored site.")] = None,
    first: MaybeFirstDayOption = None,
    last: MaybeLastDayOption = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                '"NAME: path=value; path=value", such as "15 kWh: '
                'batteries.battery.capacity_kwh=15".'
            )
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--request", help="The whole question as YAML or JSON; the other options go beside it."
        ),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help=(
                "mpc, self_consumption, rule or idle, or as a replay calls them (default: mpc, "
                "which is Luna)."
            )
        ),
    ] = None,
    outlook: Annotated[
        str | None,
        typer.Option(help="issued, usual or automatic: what mpc plans from (default: automatic)."),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the answer.")] = "en",
    picture: Annotated[
        Path | None,
        typer.Option("--out", help="Draw what each variant saves by month into this SVG file."),
    ] = None,
    submit: Annotated[
        bool,
        typer.Option(
            "--submit",
            help="Leave the replays to the workers and say under which id they can be read.",
        ),
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option(help="A stored plan (default without --from: the site's last one)."),
    ] = None,
    export: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="kWh that a plan is to sell from the batteries when selling pays most."
        ),
    ] = None,
    stored_id: Annotated[
        str | None, typer.Option("--id", help="Read a question that was asked before.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Replay recorded days as they were and under each variant: months, savings a year with their
    interval, payback of an investment.

    Without --from and --request: plan a plan again with something different.
    """
    if stored_id is None and file is None and first is None:
        variants = [_parse_variant(words) for words in variant or []]
        show_plan_variant(
            plan=plan,
            site=site,
            variants=variants,
            export_kwh=export,
            language=language,
            as_json=as_json,
        )
        return
    with open_desk() as desk:
        if stored_id is not None:
            state: WhatIfState = desk.ask(read_what_if, {"what_if_id": stored_id})
        else:
            variants = [_parse_variant(words) for words in variant or []]
            options = {
                "site_id": site,
                "from_day": first,
                "to_day": last,
                "policy": policy,
                "outlook": outlook,
                "language": language,
                "variants": variants or None,
            }
            fields: dict[str, Any] = {}
            if file is not None:
                holds = "site_id, from_day, to_day and variants"
                fields |= read_document(file, form="YAML", holds=holds)
            fields |= {name: value for name, value in options.items() if value is not None}
            question = compose_request(WhatIfRequest, **fields)
            if submit:
                state = desk.ask(ask_what_if, {"question": question})
            else:
                state = _replay(desk, question, quiet=as_json)
    if picture is not None and state.reply is not None:
        make_writable(picture.parent)
        # Imported here: ``luna why-not`` draws nothing and starts faster without charts.
        from luna.words.charts.bill import draw_bills

        write_whole(picture, draw_bills(state.reply, language=language))
    emit_reply(read_what_if, state, as_json=as_json, arguments={"language": language})


def _parse_variant(words: str) -> dict[str, Any]:
    """Parse a variant, "NAME: path=value; path=value".

    ``investment`` and ``margin`` are the variant's, other paths the site's fields.

    Raises:
        InvalidInputError: the name or a value is missing.
    """
    name, colon, changes = words.partition(":")
    if not colon:
        raise InvalidInputError(
            "a variant has a name",
            field="--variant",
            value=words,
            remedy='Write it like "15 kWh: batteries.battery.capacity_kwh=15".',
        )
    variant: dict[str, Any] = {"name": name.strip(), "site": {}}
    for text in changes.split(";"):
        change = text.strip()
        if not change:
            continue
        path, equals, value = change.partition("=")
        if not equals:
            raise InvalidInputError(
                "a change has a value",
                field="--variant",
                value=change,
                remedy="Write it like path=value; null takes something away.",
            )
        try:
            parsed = yaml.safe_load(value)
        except yaml.YAMLError as exc:
            remedy = 'Write a number, a word, null or {"kind": "fixed", "price": 0.3}.'
            raise InvalidInputError(
                "is no value", field="--variant", value=change, remedy=remedy
            ) from exc
        *parents, field = path.strip().split(".")
        part = variant if path.strip() in ("investment", "margin") else variant["site"]
        for parent in parents:
            part = part.setdefault(parent, {})
        part[field] = parsed
    return variant


def _replay(desk: Desk, question: WhatIfRequest, *, quiet: bool) -> WhatIfState:
    """Replay a what-if question here or on a remote gateway's workers, and return its reply."""
    if find_server() is None:
        from services.planner.service.counterfactual import replay_question

        with open_database() as pool, follow_progress("what if", quiet=quiet) as progress:
            return replay_question(pool, question, now=SystemClock().now(), progress=progress)
    state: WhatIfState = desk.ask(ask_what_if, {"question": question})
    with follow_progress("what if", quiet=quiet) as progress:
        for variant in state.variants:
            if variant.job_id:
                await_end(partial(desk.ask, read_job, {"job_id": variant.job_id}), progress)
    done: WhatIfState = desk.ask(read_what_if, {"what_if_id": state.what_if_id})
    return done


def show_why_not(  # noqa: PLR0913 - one per option
    *,
    plan: Annotated[str, typer.Option(help="The plan_id of a stored plan.")],
    slot: Annotated[
        str,
        typer.Option(
            help="An instant within the slot: with its offset, or a time of the site's clock."
        ),
    ],
    mode: Annotated[
        str,
        typer.Option(
            help=(
                "A battery's mode, as a plan shows it or by its code; charge or hold for a "
                "vehicle; on or off for a load."
            )
        ),
    ],
    until: Annotated[
        str | None, typer.Option(help="The instant after the last slot (default: one slot).")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="A device by its name (default: the only battery).")
    ] = None,
    power: Annotated[float | None, typer.Option(help="kW from or to the grid at most.")] = None,
    target: Annotated[
        float | None, typer.Option(help="State of charge at which the exchange ends, 0 to 1.")
    ] = None,
    language: Annotated[Language | None, typer.Option(help="Language of the answer.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Say what another set-point would cost over the whole plan, and which later slots it would
    change.
    """
    fields = {
        "slot": slot,
        "until": until,
        "mode": mode,
        "device": device,
        "power_kw": power,
        "target_soc": target,
        "language": language,
    }
    with open_desk(quiet=as_json) as desk:
        with site_clock(parse_zone(read_stored(desk, plan, None).timezone)):
            question = compose_request(WhyNotQuestion, **fields)
        reply: WhyNotReply = desk.ask(ask_why_not, {"plan_id": plan, "question": question})
    _emit_outcome(ask_why_not, reply, language or "en", as_json=as_json)


def show_plan_variant(
    *,
    plan: str | None,
    site: str | None,
    variants: list[dict[str, Any]],
    export_kwh: float | None,
    language: Language,
    as_json: bool,
) -> None:
    """Plan a stored plan, or the site's last one, again with something different.

    Raises:
        InvalidInputError: not one variant, or none of plan and site.
        NotFoundError: the site has no plan.
    """
    if len(variants) > 1 or not (variants or export_kwh):
        raise InvalidInputError(
            "a plan is asked one variant at a time",
            field="--variant",
            remedy="Name one, or --export; several are for --from and --to.",
        )
    fields = variants[0] if variants else {"name": f"export {export_kwh:g} kWh"}
    variant = compose_request(Variant, **fields)
    question = compose_request(
        VariantQuestion, variant=variant, export_kwh=export_kwh, language=language
    )
    with open_desk(quiet=as_json) as desk:
        plan_id = plan or read_stored(desk, None, site).plan_id
        reply: PlanVariantReply = desk.ask(plan_variant, {"plan_id": plan_id, "question": question})
    _emit_outcome(plan_variant, reply, language, as_json=as_json)


def _emit_outcome(
    capability: Capability,
    reply: WhyNotReply | PlanVariantReply,
    language: Language,
    *,
    as_json: bool,
) -> None:
    emit_reply(capability, reply, as_json=as_json, arguments={"language": language})
    if not as_json:
        show_compromises(reply.compromises, language)
