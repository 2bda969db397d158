"""``luna what-if``: costs of another site, tariff or device."""

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from luna.contracts.variant import PlanVariantReply, Variant, WhatIfRequest, WhatIfState
from luna.energy.errors import InvalidInputError
from luna.house.capabilities.jobs import read_job
from luna.house.capabilities.variants import (
    VariantQuestion,
    ask_what_if,
    plan_variant,
    read_what_if,
)
from luna.house.desk.desk import Desk
from luna.house.desk.servers import open_database
from luna.house.desk.work import await_end
from luna.platform.clock import SystemClock
from luna.platform.written_files import make_writable, write_whole
from luna.words import Language
from services.cli.alternatives import emit_changed_plan
from services.cli.command_target import find_server
from services.cli.console import JsonOption, follow_progress
from services.cli.declared import emit_reply, open_desk
from services.cli.options import (
    MaybeFirstDayOption,
    MaybeLastDayOption,
    compose_request,
    read_document,
)
from services.cli.plan_table import read_stored


def show_what_if(  # noqa: PLR0913 - one per option
    *,
    site: Annotated[str | None, typer.Option(help="The site's name.")] = None,
    first: MaybeFirstDayOption = None,
    last: MaybeLastDayOption = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            help=(
                'One change: "NAME: path=value; path=value", for example "15 kWh: '
                'batteries.battery.capacity_kwh=15".'
            )
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--request", help="Read the whole question from a YAML or JSON file."),
    ] = None,
    policy: Annotated[
        str | None,
        typer.Option(
            help=(
                "The policy: mpc (Luna), self_consumption, rule, idle or another one of "
                "replays (default: mpc)."
            )
        ),
    ] = None,
    outlook: Annotated[
        str | None,
        typer.Option(
            help="The forecasts mpc uses: issued, usual or automatic (default: automatic)."
        ),
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the answer.")] = "en",
    picture: Annotated[
        Path | None,
        typer.Option("--out", help="Draw each variant's savings by month into this SVG file."),
    ] = None,
    submit: Annotated[
        bool,
        typer.Option(
            "--submit",
            help="Run the replays on the workers and print the id of the result.",
        ),
    ] = False,
    plan: Annotated[
        str | None,
        typer.Option(help="A stored plan (default without --from: the site's newest one)."),
    ] = None,
    export: Annotated[
        float | None,
        typer.Option(
            min=0.001, help="Sell this many kWh from the batteries when the price is highest."
        ),
    ] = None,
    stored_id: Annotated[
        str | None, typer.Option("--id", help="Show an earlier result by its id.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare with another battery, tariff, roof or rule.

    With --from it replays recorded days: cost by month, savings a year, payback of an investment.
    Without --from and --request it plans a plan again with the change.
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
        # Imported here: most answers are not drawn and come faster without charts.
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
                remedy="Write it like path=value; null removes something.",
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
    """Replay variants here or on a remote gateway's workers, and return the result."""
    if find_server() is None:
        from services.planner.service.variant import replay_question

        with open_database() as pool, follow_progress("what if", quiet=quiet) as progress:
            return replay_question(pool, question, now=SystemClock().now(), progress=progress)
    state: WhatIfState = desk.ask(ask_what_if, {"question": question})
    with follow_progress("what if", quiet=quiet) as progress:
        for variant in state.variants:
            if variant.job_id:
                await_end(partial(desk.ask, read_job, {"job_id": variant.job_id}), progress)
    done: WhatIfState = desk.ask(read_what_if, {"what_if_id": state.what_if_id})
    return done


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
            "a plan takes one variant at a time",
            field="--variant",
            remedy="Name one variant or --export. For several, give --from and --to.",
        )
    fields = variants[0] if variants else {"name": f"export {export_kwh:g} kWh"}
    variant = compose_request(Variant, **fields)
    question = compose_request(
        VariantQuestion, variant=variant, export_kwh=export_kwh, language=language
    )
    with open_desk(quiet=as_json) as desk:
        plan_id = plan or read_stored(desk, None, site).plan_id
        reply: PlanVariantReply = desk.ask(plan_variant, {"plan_id": plan_id, "question": question})
    emit_changed_plan(plan_variant, reply, language, as_json=as_json)
