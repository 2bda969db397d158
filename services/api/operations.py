"""Every operation of the gateway in one table: its address, who may call it, and which command does the same.

A route is an operation's code; the table is what the gateway promises. ``docs/guide/reference/operations.md`` is made from it, guards are read from it, and
a route without a row does not start. No command does the same as a page: pages draw what routes and commands return.
"""

from collections.abc import Iterator
from functools import cache
from re import sub

from luna.contracts.edge import PUBLIC_TASKS
from luna.contracts.identity import Scope
from luna.platform.capabilities import CAPABILITIES
from services.api.operation import Operation, describe_declared

# What people see; drawn from the same data as what routes return.
PAGES = (
    Operation("open_first", "GET", "/", "read", alone="a page"),
    Operation("watch_site", "GET", "/ui/sites/{site_id}/events", "read", alone="a page"),
    Operation("show_home", "GET", "/ui/sites/{site_id}/home", "read", alone="a page"),
    Operation("show_head", "GET", "/ui/sites/{site_id}/home/head", "read", alone="a page"),
    Operation("show_flow", "GET", "/ui/sites/{site_id}/home/flow", "read", alone="a page"),
    Operation("show_why", "GET", "/ui/sites/{site_id}/home/why", "read", alone="a page"),
    Operation("show_table", "GET", "/ui/sites/{site_id}/home/table", "read", alone="a page"),
    Operation("save_table", "GET", "/ui/sites/{site_id}/home/plan.csv", "read", alone="a page"),
    Operation("override_plan", "POST", "/ui/sites/{site_id}/home/override", "operate", alone="a page"),
    Operation("plan_anew", "POST", "/ui/sites/{site_id}/home/plan", "operate", alone="a page"),
    Operation("resume_plan", "POST", "/ui/sites/{site_id}/home/resume", "operate", alone="a page"),
    Operation("show_job_part", "GET", "/ui/sites/{site_id}/jobs/{job_id}", "read", alone="a page"),
    Operation("show_planning", "GET", "/ui/sites/{site_id}/planning", "read", alone="a page"),
    Operation("show_cost", "GET", "/ui/sites/{site_id}/planning/cost", "analyse", alone="a page"),
    Operation("fix_block", "POST", "/ui/sites/{site_id}/planning/blocks", "operate", alone="a page"),
    Operation("take_back_block", "POST", "/ui/sites/{site_id}/planning/blocks/{block_id}/take-back", "operate", alone="a page"),
    Operation("add_stay", "POST", "/ui/sites/{site_id}/planning/stays", "operate", alone="a page"),
    Operation("take_back_stay", "POST", "/ui/sites/{site_id}/planning/stays/{session_id}/take-back", "operate", alone="a page"),
    Operation("heat_now", "POST", "/ui/sites/{site_id}/planning/heat", "operate", alone="a page"),
    Operation("switch_vacation", "POST", "/ui/sites/{site_id}/planning/vacation", "operate", alone="a page"),
    Operation("arm_devices", "POST", "/ui/sites/{site_id}/planning/arm", "operate", alone="a page", critical=True),
    Operation("move_batteries", "POST", "/ui/sites/{site_id}/planning/try", "operate", alone="a page"),
    Operation("disarm_devices", "POST", "/ui/sites/{site_id}/planning/disarm", "operate", alone="a page"),
    Operation("resume_device", "POST", "/ui/sites/{site_id}/planning/resume", "operate", alone="a page"),
    Operation("show_savings", "GET", "/ui/sites/{site_id}/savings", "read", alone="a page"),
    Operation("start_replays", "POST", "/ui/sites/{site_id}/savings/replays", "analyse", alone="a page"),
    Operation("show_agent", "GET", "/ui/sites/{site_id}/agent", "read", alone="a page"),
    Operation("show_agent_run", "GET", "/ui/sites/{site_id}/agent/runs/{run_id}", "read", alone="a page"),
    Operation("draw_day_part", "GET", "/ui/sites/{site_id}/agent/picture", "read", alone="a page"),
    Operation("train_on_page", "POST", "/ui/sites/{site_id}/agent/train", "analyse", alone="a page"),
    Operation("evaluate_on_page", "POST", "/ui/sites/{site_id}/agent/evaluate", "analyse", alone="a page"),
    Operation("choose_policy", "POST", "/ui/sites/{site_id}/agent/policy", "configure", alone="a page", critical=True),
    Operation("choose_mode", "POST", "/ui/sites/{site_id}/agent/mode", "configure", alone="a page", critical=True),
    Operation("take_control_back", "POST", "/ui/sites/{site_id}/agent/withdrawal", "operate", alone="a page"),
    Operation("show_forecasts", "GET", "/ui/sites/{site_id}/forecasts", "read", alone="a page"),
    Operation("show_forecast_chart", "GET", "/ui/sites/{site_id}/forecasts/chart", "read", alone="a page"),
    Operation("show_explanation", "GET", "/ui/sites/{site_id}/forecasts/explanation", "read", alone="a page"),
    Operation("promote_version", "POST", "/ui/sites/{site_id}/forecasts/promote", "operate", alone="a page"),
    Operation("roll_back_version", "POST", "/ui/sites/{site_id}/forecasts/rollback", "operate", alone="a page"),
    Operation("retrain_model", "POST", "/ui/sites/{site_id}/forecasts/train", "analyse", alone="a page"),
    Operation("forget_today", "POST", "/ui/sites/{site_id}/forecasts/reset", "operate", alone="a page"),
    Operation("issue_now", "POST", "/ui/sites/{site_id}/forecasts/issue", "operate", alone="a page"),
    Operation("show_what_ifs", "GET", "/ui/sites/{site_id}/what-ifs", "read", alone="a page"),
    Operation("show_plan_variants", "GET", "/ui/sites/{site_id}/what-ifs/plan", "analyse", alone="a page"),
    Operation("ask_days", "POST", "/ui/sites/{site_id}/what-ifs", "analyse", alone="a page"),
    Operation("show_what_if", "GET", "/ui/sites/{site_id}/what-ifs/{what_if_id}", "read", alone="a page"),
    Operation("show_knowledge", "GET", "/ui/sites/{site_id}/knowledge", "read", alone="a page"),
    Operation("ask_on_page", "POST", "/ui/sites/{site_id}/knowledge", "read", alone="a page"),
    Operation("show_answer", "GET", "/ui/sites/{site_id}/knowledge/answers/{answer_id}", "read", alone="a page"),
    Operation("rate_on_page", "POST", "/ui/sites/{site_id}/knowledge/answers/{answer_id}/feedback", "read", alone="a page"),
    Operation("show_tips", "GET", "/ui/sites/{site_id}/knowledge/recommendations", "read", alone="a page"),
    Operation("note_tip", "POST", "/ui/sites/{site_id}/knowledge/recommendations/{recommendation_id}", "read", alone="a page"),
    Operation("show_documents", "GET", "/ui/sites/{site_id}/knowledge/documents", "read", alone="a page"),
    Operation("show_document_list", "GET", "/ui/sites/{site_id}/knowledge/documents/list", "read", alone="a page"),
    Operation("upload_documents", "POST", "/ui/sites/{site_id}/knowledge/documents", "data", alone="a page"),
    Operation("fetch_page", "POST", "/ui/sites/{site_id}/knowledge/documents/fetch", "data", alone="a page"),
    Operation("add_example_documents", "POST", "/ui/sites/{site_id}/knowledge/documents/examples", "administer", alone="a page"),
    Operation("show_document", "GET", "/ui/sites/{site_id}/knowledge/documents/{document_id}", "read", alone="a page"),
    Operation("set_validity", "POST", "/ui/sites/{site_id}/knowledge/documents/{document_id}/validity", "data", alone="a page"),
    Operation("remove_document", "POST", "/ui/sites/{site_id}/knowledge/documents/{document_id}/remove", "data", alone="a page"),
    Operation("show_data", "GET", "/ui/sites/{site_id}/data", "read", alone="a page"),
    Operation("show_gaps", "GET", "/ui/sites/{site_id}/data/gaps", "read", alone="a page"),
    Operation("judge_month", "POST", "/ui/sites/{site_id}/data/quality", "data", alone="a page"),
    Operation("decide_row", "POST", "/ui/sites/{site_id}/data/quarantine/{quarantine_id}/{resolution}", "data", alone="a page"),
    Operation("upload_file", "POST", "/ui/sites/{site_id}/data/uploads", "data", alone="a page"),
    Operation("hand_over_file", "POST", "/ui/sites/{site_id}/data/imports", "data", alone="a page"),
    Operation("show_file_guess", "GET", "/ui/sites/{site_id}/data/imports/{upload_id}", "data", alone="a page"),
    Operation("store_file", "POST", "/ui/sites/{site_id}/data/imports/{upload_id}", "data", alone="a page"),
    Operation("show_edge", "GET", "/ui/edge", "read", alone="a page"),
    Operation("save_preferences", "POST", "/ui/preferences", "public", alone="a page"),
    Operation("serve_asset", "GET", "/static/{name}", "public", alone="what pages load"),
    Operation("serve_icon", "GET", "/favicon.ico", "public", alone="what browsers ask for by themselves"),
    Operation("describe_app", "GET", "/manifest.webmanifest", "public", alone="what browsers ask for by themselves"),
    Operation("serve_worker", "GET", "/service-worker.js", "public", alone="what browsers ask for by themselves"),
)
# First start and the installation: who may do this may do everything.
ADMIN_PAGES = (
    Operation("welcome", "GET", "/ui/setup", "administer", alone="a page"),
    Operation("begin_setup", "POST", "/ui/setup", "administer", alone="a page"),
    Operation("guess_place", "GET", "/ui/setup/guess", "administer", alone="a page"),
    Operation("remove_simulated_home", "POST", "/ui/setup/remove-simulated-home", "administer", alone="a page"),
    Operation("take_setup_file", "POST", "/ui/setup/upload", "administer", alone="a page"),
    Operation("show_setup_file", "GET", "/ui/setup/{draft_id}/file", "administer", alone="a page"),
    Operation("accept_setup_file", "POST", "/ui/setup/{draft_id}/file", "administer", alone="a page"),
    Operation("show_device_search", "GET", "/ui/setup/{draft_id}/find", "administer", alone="a page"),
    Operation("search_devices", "POST", "/ui/setup/{draft_id}/find", "administer", alone="a page"),
    Operation("show_setup_step", "GET", "/ui/setup/{draft_id}/{step}", "administer", alone="a page"),
    Operation("save_setup_step", "POST", "/ui/setup/{draft_id}/{step}", "administer", alone="a page"),
    Operation("show_preparation", "GET", "/ui/setup/{draft_id}/plan", "administer", alone="a page"),
    Operation("show_progress", "GET", "/ui/setup/{draft_id}/progress", "administer", alone="a page"),
    Operation("retry_preparation", "POST", "/ui/setup/{draft_id}/retry", "administer", alone="a page"),
    Operation("show_site", "GET", "/ui/sites/{site_id}/site", "administer", alone="a page"),
    Operation("begin_change", "POST", "/ui/sites/{site_id}/site/change", "administer", alone="a page"),
    Operation("bring_back", "POST", "/ui/sites/{site_id}/site/back", "administer", alone="a page"),
    Operation("show_sensors", "GET", "/ui/sites/{site_id}/site/sensors", "administer", alone="a page"),
    Operation("change_sensors", "POST", "/ui/sites/{site_id}/site/sensors", "administer", alone="a page"),
    Operation("open_admin", "GET", "/ui/admin", "administer", alone="a page"),
    Operation("show_admin", "GET", "/ui/admin/{section}", "administer", alone="a page"),
    Operation("show_settings", "GET", "/ui/admin/settings", "administer", alone="a page"),
    Operation("save_setting", "POST", "/ui/admin/settings", "administer", alone="a page"),
    Operation("download_bundle", "GET", "/ui/admin/bundle", "administer", alone="a page"),
    Operation("show_admin_part", "GET", "/ui/admin/parts/{part}", "administer", alone="a page"),
    Operation("cancel_admin_job", "POST", "/ui/admin/jobs/{job_id}/cancel", "administer", alone="a page"),
    Operation("retry_admin_job", "POST", "/ui/admin/jobs/{job_id}/retry", "administer", alone="a page"),
    Operation("show_people", "GET", "/ui/admin/people", "administer", alone="a page"),
    Operation("add_person", "POST", "/ui/admin/people", "administer", alone="a page", critical=True),
    Operation("remove_person", "POST", "/ui/admin/people/{name}/remove", "administer", alone="a page", critical=True),
    Operation("show_sign_in", "GET", "/ui/login", "public", alone="a page"),
    Operation("sign_in_page", "POST", "/ui/login", "public", alone="a page"),
    Operation("open_by_link", "GET", "/ui/open", "public", alone="a page"),
    Operation("make_first_account", "POST", "/ui/first-account", "public", alone="a page"),
    Operation("sign_out_page", "POST", "/ui/logout", "read", alone="a page"),
    Operation("show_confirm", "GET", "/ui/confirm", "read", alone="a page"),
    Operation("confirm_page", "POST", "/ui/confirm", "read", alone="a page"),
    Operation("show_password", "GET", "/ui/password", "read", alone="a page"),
    Operation("change_password_page", "POST", "/ui/password", "read", alone="a page"),
    Operation("show_keys", "GET", "/ui/keys", "read", alone="a page"),
    Operation("make_key", "POST", "/ui/keys", "read", alone="a page", critical=True),
    Operation("remove_key", "POST", "/ui/keys/{prefix}/remove", "read", alone="a page"),
)


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
