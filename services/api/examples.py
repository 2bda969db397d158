"""An example of each operation, as its documentation shows it: of its body, its parameters, or its answer where it takes neither."""

from typing import Any

Schema = dict[str, Any]

_SITE = {
    "name": "home",
    "timezone": "Europe/Berlin",
    "batteries": [{"name": "battery", "capacity_kwh": 10, "charge_limit_kw": 5, "discharge_limit_kw": 5}],
    "tariff": {"import": {"kind": "fixed", "price": 0.3}, "export": {"kind": "fixed", "price": 0.08}},
}
_PLAN = {
    "site": _SITE,
    "start": "2024-03-12T00:00:00+01:00",
    "slot_minutes": 60,
    "outlook": {"load_kwh": [0.4, 0.5, 1.2], "pv_kwh": [0.0, 0.3, 0.9], "import_price": [0.3, 0.3, 0.3], "export_price": [0.08, 0.08, 0.08]},
    "state": {"batteries": {"battery": {"soc": 0.5}}},
}
_LARGER = {"name": "twice the battery", "site": {"batteries": {"battery": {"capacity_kwh": 20}}}}
_WINDOW = {"from": "2024-03-12T00:00:00+01:00", "to": "2024-03-19T00:00:00+01:00"}
_DAYS = {"from_day": "2024-03-18", "to_day": "2024-03-24"}

BODIES: dict[str, Schema] = {
    "create_site": _SITE,
    "change_site": _SITE,
    "make_plan": _PLAN,
    "trace_pareto": {"plan": _PLAN, "figures": ["cost", "self_sufficiency"], "points": 3},
    "check_plans": _WINDOW,
    "set_vacation": {"vacation": True},
    "ask_why_not": {"slot": "2024-03-12T01:00:00+01:00", "mode": "charge", "power_kw": 2},
    "plan_variant": {"variant": _LARGER},
    "issue_forecast": {"at": "2024-03-12T06:00:00+01:00"},
    "issue_scenarios": {"at": "2024-03-12T06:00:00+01:00", "count": 5},
    "evaluate_forecasts": _DAYS,
    "train_forecast": {"until": "2024-03-12T00:00:00+01:00"},
    "promote_forecast": {"forecast_version": "aurora_v1.0", "reason": "it did better for a month"},
    "find_home_devices": {"network": "192.168.1.0/24"},
    "fetch_prices": {"market": "DE-LU", **_WINDOW},
    "fetch_weather": _WINDOW,
    "judge_quality": _DAYS,
    "repair_data": _DAYS | {"dry_run": True},
    "build_slots": _WINDOW,
    "backfill": _WINDOW,
    "verify_data": _DAYS,
    "correct_row": {"values": {"load_kwh": 0.4}},
    "override": {"mode": "charge", "power_kw": 2, "until": "2099-03-12T18:00:00+01:00"},
    "add_manual_block": {"from": "2024-03-12T18:00:00+01:00", "to": "2024-03-12T21:00:00+01:00", "device": "battery", "action": "hold"},
    "add_session": {"vehicle": "car", "from": "2024-03-12T18:00:00+01:00", "to": "2024-03-13T07:00:00+01:00", "arrival_soc": 0.4, "target_soc": 0.8},
    "call_tool": {"site_id": "home", "arguments": {"first_day": "2024-03-12", "price": "spot"}, "language": "en"},
    "start_replay": _DAYS | {"policies": ["idle", "mpc"]},
    "train_agent": {"kind": "value", "until": "2024-03-12T00:00:00+01:00"},
    "evaluate_agent": {"days": 100, "to_day": "2024-03-24"},
    "change_agent": {"shadow_policy_type": "lightgbm", "control_mode": "export_only"},
    "ask_question": {"question": "How long is the notice period of my supply contract?", "site_id": "home"},
    "rate_answer": {"feedback": "helpful", "note": "that was the page I was looking for"},
    "ask_what_if": {"site_id": "home", "from_day": "2024-03-01", "to_day": "2024-03-31", "variants": [_LARGER]},
    "set_up": {"name": "admin", "password": "lantern orchard nine winters"},
    "sign_in": {"name": "admin", "password": "lantern orchard nine winters", "form": "tokens"},
    "refresh_tokens": {"refresh_token": "M1dB5cV0rW8Yq2kZ7pXn4sT9uJ6hG3fD1aL0eQ5iOyE"},
    "confirm_password": {"password": "lantern orchard nine winters"},
    "change_password": {"password": "lantern orchard nine winters", "new_password": "harbour copper thistle rain"},
    "create_user": {"name": "anna", "password": "harbour copper thistle rain", "role": "user", "sites": ["home"]},
    "change_user": {"role": "analyst", "sites": ["home"]},
    "create_key": {"name": "home automation", "scopes": ["read", "operate"], "sites": ["home"], "days": 365},
    "search_passages": {"query": "How long is the notice period?", "k": 5, "filter": {"kind": "contract"}},
    "embed_texts": {"texts": ["How long is the notice period?"], "role": "query"},
    "fetch_document": {"url": "https://grid.example/connection-guide.pdf", "kind": "regulation", "language": "de", "dated": "2024-01-01"},
    "reindex_documents": {"rechunk": False},
    "set_document_validity": {"valid_from": "2024-01-01", "valid_until": "2024-12-31"},
    "record_events": {
        "events": [
            {"event_id": "3f6b2c8a-opened", "recommendation_id": "7d1f0c5e9a2b4836", "action": "opened", "happened_at": "2024-03-12T18:05:00+01:00"},
        ]
    },
    "accept_job": {"task": "planner.replay.run", "request": {"site_id": "home", **_DAYS}},
}
PARAMETERS: dict[str, str | int] = {
    "answer_id": "5f0c2d7e9b1a4c3d8e6f7a8b9c0d1e2f",
    "conversation_id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "site_id": "home",
    "plan_id": "b1c4f0d2a7e94f0c",
    "series": "load_kwh",
    "device": "batteries",
    "block_id": 3,
    "quarantine_id": 17,
    "what_if_id": "5f0c2d7e9a1b4c3d",
    "job_id": "9f2c4e6a8b0d1f3e",
    "lab_job_id": "9f2c4e6a8b0d1f3e",
    "document_id": "3c5e7a9b1d2f4068",
    "run_id": "agent_value_v1.home.20240312T0000Z.4c1e9a7f20b3d586",
    "day": "2024-03-12",
    "around": 1204,
    "session_id": 5,
    "from": "2024-03-12T00:00:00+01:00",
    "to": "2024-03-14T00:00:00+01:00",
    "at": "2024-03-12T06:00:00+01:00",
    "limit": 50,
    "name": "anna",
    "prefix": "lk_7Qm2",
}
ANSWERS: dict[str, Any] = {
    "test_notifications": {"targets": [{"target": "ntfys://ntfy.example/luna", "events": ["plan", "device"], "sent": True, "error": None}]},
    "list_tools": {
        "tools": [
            {
                "name": "site_description",
                "description": "What the site has, and which local day it is there.",
                "arguments": {"type": "object", "properties": {}, "additionalProperties": False},
            }
        ]
    },
    "add_examples": {
        "job_id": "0c2f7a1d9b5e4c38",
        "task": "rag.documents.examples",
        "key": "9a4b17c0",
        "status": "queued",
        "attempts": 0,
        "submitted_at": "2024-03-12T18:00:00Z",
        "request": {"added_by": "anna"},
        "trace_id": "5f0c9d2e",
    },
    "live": {"status": "live"},
    "ready": {"status": "ready", "checks": [{"name": "database", "ok": True, "latency_ms": 1.2, "detail": "PostgreSQL 16.2"}]},
    "list_services": {"ready": True, "services": [{"service": "planner", "ready": True, "missing": [], "instances": []}]},
    "read_me": {"name": "anna", "role": "user", "scopes": ["read", "analyse", "operate"], "sites": ["home"], "means": "session"},
    "read_metrics": 'luna_api_request_seconds_count{method="GET",route="/health/live",status_class="2xx"} 12.0\n',
    "list_settings": {
        "settings": [
            {
                "name": "api_port",
                "variable": "LUNA_API_PORT",
                "description": "port of the gateway",
                "secret": False,
                "given": True,
                "value": 8081,
                "default": 8080,
                "differs": True,
            }
        ],
        "cursor": None,
    },
}
