"""``luna recommend``: what is worth reading or doing, and how well it is chosen."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from luna.contracts.recommendations import RefreshRecommendationsRequest
from luna.energy.errors import InvalidInputError
from luna.platform.capabilities.recommendations import list_recommendations
from luna.platform.clock import SystemClock
from luna.platform.desk.servers import open_database, unit_of_work
from luna.platform.settings import load_settings
from luna.words import Language
from services.cli.console import JsonOption, emit, out, table
from services.cli.declared import compose_arguments, emit_reply, open_desk
from services.cli.options import compose_request
from services.cli.server import find_server

HEADINGS = ("policy", "estimator", "mean reward", "from", "to")
What = Literal["show", "refresh", "evaluate"]


def recommend(  # noqa: PLR0913 - one per option
    what: Annotated[
        What,
        typer.Argument(
            help=(
                "show; refresh: look anew for what there is, as workers do daily; evaluate: "
                "how well it is chosen."
            )
        ),
    ] = "show",
    *,
    site: Annotated[str | None, typer.Option(help="For one site (default: for all).")] = None,
    about: Annotated[
        str | None, typer.Option(help="What it should be about (default: what was read).")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="document, tip, tariff or what_if.")] = None,
    count: Annotated[int | None, typer.Option(help="How many at most (default: 5).")] = None,
    language: Annotated[Language, typer.Option(help="Language of the texts.")] = "en",
    limit: Annotated[
        int,
        typer.Option(
            min=2, max=1_000_000, help="evaluate: how many of the newest choices at most."
        ),
    ] = 10_000,
    as_json: JsonOption = False,
) -> None:
    """Say what is worth reading or doing: documents, savings that the site's own data show, tariffs
    and what-ifs that were replayed.

    evaluate says what each policy and chance would have been rewarded with: IPS, SNIPS and doubly
    robust, with 95 % intervals.
    """
    if what == "show":
        texts = {"site_id": site, "about": about, "kind": kind, "k": count, "language": language}
        with open_desk(quiet=as_json) as desk:
            reply = desk.ask(
                list_recommendations,
                compose_arguments(list_recommendations, texts, lambda: ZoneInfo("UTC")),
            )
        emit_reply(list_recommendations, reply, as_json=as_json, arguments=texts)
        return
    if find_server() is not None:
        remedy = "Call it there; over HTTP there is luna recommend show."
        raise InvalidInputError(
            "works on Luna's own machine alone",
            field="--server",
            value=f"luna recommend {what}",
            remedy=remedy,
        )

    if what == "refresh":
        from services.rag.embedding import open_embedder
        from services.rag.recommending.stock import refresh

        request = compose_request(RefreshRecommendationsRequest, site_id=site)
        with open_database() as pool:
            refreshed = refresh(
                pool, request, embedder=open_embedder(load_settings()), now=SystemClock().now()
            )
        sentence = (
            f"{refreshed.sites} sites, {refreshed.written} new or changed, "
            f"{refreshed.withdrawn} withdrawn"
        )
        emit(refreshed.model_dump(mode="json"), as_json=as_json, show=lambda: out.print(sentence))
        if refreshed.failed:
            raise typer.Exit(1)
    else:
        from services.rag.recommending.evaluation import evaluate_log

        with unit_of_work() as connection:
            evaluation = evaluate_log(connection, limit=limit)
        rows = [
            [policy, estimator, *(f"{value[name]:.3f}" for name in ("value", "low", "high"))]
            for policy, values in evaluation["policies"].items()
            for estimator, value in values.items()
        ]
        title = f"{evaluation['choices']} choices, mean reward {evaluation['logged']:.3f}"
        emit(
            evaluation,
            as_json=as_json,
            show=lambda: table(HEADINGS, rows, title=title, words=HEADINGS[:2]),
        )
