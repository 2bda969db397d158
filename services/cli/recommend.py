"""``luna recommend``: what is worth reading or doing, and how well it is chosen."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from luna.contracts.recommendations import RefreshRecommendationsRequest
from luna.energy.errors import InvalidInputError
from luna.house.capabilities.recommendations import list_recommendations
from luna.house.desk.servers import open_database, unit_of_work
from luna.platform.clock import SystemClock
from luna.platform.settings import load_settings
from luna.words import Language
from services.cli.command_target import find_server
from services.cli.console import JsonOption, out, table, write_json
from services.cli.declared import compose_arguments, emit_reply, open_desk
from services.cli.options import compose_request

HEADINGS = ("policy", "estimator", "mean reward", "from", "to")
What = Literal["show", "refresh", "evaluate"]


def recommend(  # noqa: PLR0913 - one per option
    what: Annotated[
        What,
        typer.Argument(
            help=("show; refresh: search for new tips; evaluate: measure the choice of tips.")
        ),
    ] = "show",
    *,
    site: Annotated[str | None, typer.Option(help="Only for this site (default: for all).")] = None,
    about: Annotated[
        str | None, typer.Option(help="Tips about this subject (default: what you read).")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Only this kind: document, tip, tariff or what_if.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="Most tips to show (default: 5).")] = None,
    language: Annotated[Language, typer.Option(help="Language of the tips.")] = "en",
    limit: Annotated[
        int,
        typer.Option(min=2, max=1_000_000, help="evaluate: use this many of the newest choices."),
    ] = 10_000,
    as_json: JsonOption = False,
) -> None:
    """Show tips: documents, savings from your data, tariffs and what-ifs.

    evaluate prints each policy's expected reward (IPS, SNIPS, doubly robust) with 95 % intervals.
    """
    if what == "show":
        texts = {"site_id": site, "about": about, "kind": kind, "k": count, "language": language}
        arguments = compose_arguments(list_recommendations, texts, lambda: ZoneInfo("UTC"))
        with open_desk(quiet=as_json) as desk:
            reply = desk.ask(list_recommendations, arguments)
        emit_reply(list_recommendations, reply, as_json=as_json, arguments=texts)
        return
    if find_server() is not None:
        remedy = "Run it there; over HTTP use luna recommend show."
        raise InvalidInputError(
            "works on Luna's own machine alone",
            field="--server",
            value=f"luna recommend {what}",
            remedy=remedy,
        )

    if what == "refresh":
        _refresh(site, as_json=as_json)
    else:
        _evaluate(limit, as_json=as_json)


def _refresh(site: str | None, *, as_json: bool) -> None:
    from services.rag.embedding import open_embedder
    from services.rag.recommending.stock import refresh

    request = compose_request(RefreshRecommendationsRequest, site_id=site)
    with open_database() as pool:
        embedder = open_embedder(load_settings())
        refreshed = refresh(pool, request, embedder=embedder, now=SystemClock().now())
    if as_json:
        write_json(refreshed.model_dump(mode="json"))
    else:
        out.print(
            f"{refreshed.sites} sites, {refreshed.written} new or changed, "
            f"{refreshed.withdrawn} withdrawn"
        )
    if refreshed.failed:
        raise typer.Exit(1)


def _evaluate(limit: int, *, as_json: bool) -> None:
    from services.rag.recommending.evaluation import evaluate_log

    with unit_of_work() as connection:
        evaluation = evaluate_log(connection, limit=limit)
    if as_json:
        write_json(evaluation)
        return
    rows = []
    for policy, estimates in evaluation["policies"].items():
        for estimator, estimate in estimates.items():
            figures = [f"{estimate[name]:.3f}" for name in ("value", "low", "high")]
            rows.append([policy, estimator, *figures])
    title = f"{evaluation['choices']} choices, mean reward {evaluation['logged']:.3f}"
    table(HEADINGS, rows, title=title, words=HEADINGS[:2])
