"""Every operation of the gateway in one table: its address, who may call it, and which command does the same.

A route is an operation's code; the table is what the gateway promises. ``docs/guide/reference/operations.md`` is made from it, guards are read from it, and
a route without a row does not start. Rows of pages stand in ``page_operations``.
"""

from collections.abc import Iterator
from functools import cache
from re import sub

from luna.contracts.edge import PUBLIC_TASKS
from luna.contracts.identity import Scope
from luna.platform.capabilities import CAPABILITIES
from services.api.operation import Operation, describe_declared
from services.api.page_operations import ADMIN_PAGES, PAGES

_SITE = "/v1/sites/{site_id}"

PLANS = (
    Operation("make_plan", "POST", "/v1/plans", "operate", "plan", aliases=("/plan",)),
    Operation("trace_pareto", "POST", "/v1/plans/pareto", "analyse", "plan", aliases=("/plan/pareto",)),
    Operation("read_timeline", "GET", f"{_SITE}/timeline", "read", alone="what the plan chart draws; commands show plans and series one by one"),
)
DATA = (
    Operation("query_series", "GET", f"{_SITE}/series/{{series:path}}", "read", "data query"),
    Operation("load_file", "POST", f"{_SITE}/uploads", "data", "data load"),
)
DECLARED = tuple(describe_declared(each) for each in CAPABILITIES if each.noun != "identity")
AGENT = (Operation("draw_agent_day", "GET", f"{_SITE}/agent/days/{{day}}/picture", "read", "agent plot"),)
ANSWERS = (Operation("ask_question", "POST", "/v1/answers", "read", "ask", aliases=("/rag/ask",)),)
TOOLS = (
    Operation("list_tools", "GET", "/v1/tools", "read", "tools list"),
    Operation("call_tool", "POST", "/v1/tools/{name}", "read", "tools call"),
    Operation("answer_assistant", "POST", "/mcp", "read", "mcp"),
)
DOCUMENTS = (
    Operation("add_documents", "POST", "/v1/documents", "data", "docs add", aliases=("/documents",)),
    Operation("read_document_file", "GET", "/v1/documents/{document_id}/file", "read", "docs show --out"),
)
JOBS = (
    Operation("accept_job", "POST", "/v1/jobs", "analyse", "jobs submit", aliases=("/jobs",)),
    Operation("watch_job", "GET", "/v1/jobs/{job_id}/events", "read", "jobs watch", aliases=("/jobs/{job_id}/events",)),
)
SYSTEM = (
    Operation("live", "GET", "/health/live", "public", alone="what a monitor asks"),
    Operation("ready", "GET", "/health/ready", "public", alone="what a monitor asks"),
    Operation("list_services", "GET", "/health/services", "read", alone="what a monitor asks", monitor=True),
    Operation("list_settings", "GET", "/v1/settings", "administer", alone="a terminal sees its environment"),
    Operation("read_metrics", "GET", "/metrics", "administer", alone="what Prometheus asks", monitor=True),
    Operation("show_documentation", "GET", "/docs", "read", alone="says what can be asked"),
    Operation("read_description", "GET", "/openapi.json", "read", alone="says what can be asked"),
)
IDENTITY = (
    Operation("set_up", "POST", "/v1/auth/setup", "public", "user add"),
    Operation("sign_in", "POST", "/v1/auth/login", "public", alone="a command is who calls it"),
    Operation("refresh_tokens", "POST", "/v1/auth/refresh", "public", alone="a command is who calls it"),
    Operation("sign_out", "POST", "/v1/auth/logout", "read", alone="a command is who calls it"),
    Operation("confirm_password", "POST", "/v1/auth/confirm", "read", alone="a command is who calls it"),
    Operation("read_me", "GET", "/v1/auth/me", "read", alone="a command is who calls it"),
    Operation("change_password", "POST", "/v1/auth/password", "read", "user password"),
    *(describe_declared(each) for each in CAPABILITIES if each.noun == "identity"),
)
# Paths of before the resources, each with what answers there.
_OLDER = "answers as it did before its resource had an address"
OLDER = (
    Operation("query_data", "GET", "/data/query", "read", alone=_OLDER),
    Operation("load_data", "POST", "/data/load", "data", alone=_OLDER),
    Operation("explain_stored_forecast", "GET", "/forecasts/explanation", "read", alone=_OLDER),
    Operation("list_rows", "GET", "/quarantine", "read", alone=_OLDER),
    Operation("release", "POST", "/quarantine/{quarantine_id}/release", "data", alone=_OLDER),
    Operation("correct", "POST", "/quarantine/{quarantine_id}/correct", "data", alone=_OLDER),
    Operation("dismiss", "POST", "/quarantine/{quarantine_id}/dismiss", "data", alone=_OLDER),
)

OPERATIONS: tuple[Operation, ...] = (
    *PLANS,
    *DATA,
    *DECLARED,
    *AGENT,
    *ANSWERS,
    *TOOLS,
    *DOCUMENTS,
    *JOBS,
    *SYSTEM,
    *IDENTITY,
    *OLDER,
    *PAGES,
    *ADMIN_PAGES,
)

# What makes a worker compute for long, and has a budget of its own.
SOLVERS = frozenset(
    {
        "make_plan",
        "trace_pareto",
        "compare_plan",
        "ask_why_not",
        "plan_variant",
        "issue_forecast",
        "explain_forecast",
        "explain_stored_forecast",
        "evaluate_forecasts",
        "issue_scenarios",
        "train_forecast",
        "draw_agent_day",
        "draw_day_part",
        "train_agent",
        "evaluate_agent",
        "start_replay",
        "ask_what_if",
        "ask_question",
        "accept_job",
    }
)

# What a caller must have been given for a job, by its task; one that is not named is the installation's.
JOB_SCOPES: dict[str, Scope] = {
    "planner.replay.run": "analyse",
    "planner.replay.spread": "analyse",
    "planner.schedule.pareto": "analyse",
    "agent.policy.train": "analyse",
    **dict.fromkeys(PUBLIC_TASKS, "analyse"),
    "agent.policy.evaluate": "analyse",
    "agent.replay.run": "analyse",
    "agent.night.run": "administer",
    "forecaster.model.train": "analyse",
    "forecaster.forecast.issue": "operate",
    "forecaster.forecast.evaluate": "analyse",
    "forecaster.forecast.judge": "analyse",
    "forecaster.scenario.issue": "analyse",
    "forecaster.version.promote": "operate",
    "forecaster.version.rollback": "operate",
    "ingest.quality.judge": "data",
    "ingest.prices.fetch": "data",
    "ingest.weather.fetch": "data",
    "ingest.slots.build": "data",
    "ingest.history.backfill": "data",
    "ingest.history.repair": "data",
    "ingest.history.verify": "data",
    "planner.plans.check": "analyse",
    "rag.documents.reindex": "administer",
    "rag.recommendations.refresh": "analyse",
    "ingest.demo.load": "administer",
    "ingest.simulated_home.make": "administer",
    "ingest.simulated_home.remove": "administer",
}

# Commands that no route does, each with the reason.
COMMANDS_ALONE = {
    "demo": "starts servers and a worker of its own",
    "up": "starts the gateway itself",
    "db": "runs before there is a gateway",
    "agent compare": "reads what GET /v1/sites/{site_id}/agent/scores reads, of any two policies",
    "backup": "keeps and restores the servers that the gateway needs",
    "doctor": "looks for what is wrong also where no gateway runs",
    "open": "lets in who may read this machine's files, and nobody over HTTP",
    "support": "packs what a person hands on, also where no gateway runs",
    "devices": "asks and simulates devices from the machine where it runs",
    "edge": "reads and writes files where it runs; POST /v1/jobs leaves the same stages to workers",
    "bench": "measures the machine it runs on",
    "rag evaluate": "measures the machine it runs on",
    "control override": "is control override-device for all batteries",
    "control run": "is a process, not a question",
    "data guess": "reads a file where it runs; the page Data takes one and shows the same",
    "data readings": "is data query of a sensor's series, in the forms that readings have",
    "forecast plot": "draws to the terminal; the page draws what the routes return",
}


def addresses(operation: Operation) -> Iterator[str]:
    """Yield where an operation answers: its own path, then the short ones."""
    yield operation.path
    yield from operation.aliases


def find_operation(name: str) -> Operation:
    """Return the operation of a name.

    Raises:
        LookupError: the table has none.
    """
    if name not in _by_name():
        raise LookupError(f"services/api/operations.py has no operation {name}")
    return _by_name()[name]


def takes_key(operation: Operation) -> bool:
    """Return whether a second request with the same idempotency key is answered by the first one's answer; what hands out secrets is never kept."""
    return operation.method == "POST" and operation not in (*IDENTITY, *PAGES)


def require_operation(method: str, path: str) -> Operation:
    """Return what a route does, by its method and template; parameters may be called otherwise.

    Raises:
        LookupError: the table does not know it, so nobody has said who may ask.
    """
    operation = _by_address().get((method, _plain(path)))
    if operation is None:
        raise LookupError(f"{method} {path} has no row in services/api/operations.py: say there who may ask")
    return operation


@cache
def _by_name() -> dict[str, Operation]:
    return {operation.name: operation for operation in OPERATIONS}


@cache
def _by_address() -> dict[tuple[str, str], Operation]:
    return {(operation.method, _plain(address)): operation for operation in OPERATIONS for address in addresses(operation)}


def _plain(path: str) -> str:
    return sub(r"\{[^}]*\}", "{}", path)
