"""Names of what people did, in the reader's language, for the list of activity."""

from luna.words.language import Language
from luna.words.phrases import Phrases

NAMES = Phrases("actions")
# The operations of the gateway by what they do: a page and a program name the same one.
ACTIONS: dict[str, tuple[str, ...]] = {
    "add_documents": (
        "add_documents",
        "upload_documents",
        "fetch_document",
        "fetch_page",
        "add_examples",
        "add_example_documents",
    ),
    "add_person": ("create_user", "add_person"),
    "alerts": ("take_alerts",),
    "antares": (
        "change_agent",
        "withdraw_agent",
        "choose_policy",
        "choose_mode",
        "take_control_back",
    ),
    "ask": ("ask_question", "ask_on_page"),
    "assistant": ("call_tool", "answer_assistant"),
    "battery_trial": ("move_batteries",),
    "cancel_job": ("cancel_job", "cancel_admin_job"),
    "car_level": ("set_vehicle_level", "state_level"),
    "change_documents": ("set_document_validity", "set_validity", "reindex_documents"),
    "change_home": (
        "change_site",
        "begin_change",
        "change_sensors",
        "bring_back",
        "switch_steering",
    ),
    "change_password": ("change_password", "change_password_page"),
    "change_person": ("change_user",),
    "channels": (
        "add_channel",
        "change_channel",
        "remove_channel",
        "store_channel",
        "take_channel_away",
        "switch_events",
    ),
    "check_data": ("build_slots", "judge_quality", "judge_month", "verify_data"),
    "choose_forecast": (
        "promote_forecast",
        "roll_back_forecast",
        "promote_version",
        "roll_back_version",
    ),
    "confirm_password": ("confirm_password", "confirm_page"),
    "control_off": ("disarm", "disarm_devices"),
    "control_on": ("arm", "arm_devices"),
    "delete_conversation": ("delete_conversation",),
    "delete_document": ("delete_document", "remove_document"),
    "delete_key": ("delete_key", "remove_key"),
    "departures": (
        "add_session",
        "remove_session",
        "accept_departure",
        "decline_departure",
        "plan_departure",
        "take_back_session",
        "take_departure",
        "leave_departure",
    ),
    "extras": ("change_extra", "order_extra"),
    "fetch_data": ("fetch_prices", "fetch_weather", "fetch_carbon"),
    "find_devices": ("find_home_devices", "search_devices"),
    "first_account": ("set_up", "make_first_account"),
    "fix_times": ("add_manual_block", "remove_manual_block", "fix_block", "take_back_block"),
    "forecast": ("issue_forecast", "issue_scenarios", "issue_now", "evaluate_forecasts"),
    "hide_tip": ("note_tip",),
    "limit_power": ("set_operator_limit", "release_operator_limit"),
    "load_data": (
        "load_file",
        "load_data",
        "upload_file",
        "store_file",
        "hand_over_file",
        "backfill",
    ),
    "make_key": ("create_key", "make_key"),
    "override_device": ("override", "override_plan", "heat_now"),
    "past_days": ("start_replay", "start_replays"),
    "pause_device": ("pause", "pause_device"),
    "preferences": ("save_preferences",),
    "rate_answer": ("rate_answer", "rate_on_page"),
    "remove_home": ("delete_site", "remove_simulated_home"),
    "remove_person": ("delete_user", "remove_person"),
    "repair_data": ("repair_data",),
    "report_events": ("record_events",),
    "resume_device": ("resume", "resume_device", "resume_plan"),
    "schedule": ("make_plan", "plan_anew", "trace_pareto", "check_plans"),
    "search_documents": ("search_passages", "embed_texts"),
    "set_up_home": (
        "create_site",
        "begin_setup",
        "save_setup_step",
        "accept_setup_file",
        "take_setup_file",
        "take_import_file",
        "retry_preparation",
    ),
    "settings": ("save_setting",),
    "sign_in": ("sign_in", "sign_in_page"),
    "sign_out": ("sign_out", "sign_out_page"),
    "start_job": ("accept_job", "retry_job", "retry_admin_job"),
    "stay_signed_in": ("refresh_tokens",),
    "train_antares": ("train_agent", "evaluate_agent", "train_on_page", "evaluate_on_page"),
    "train_forecast": ("train_forecast", "retrain_model"),
    "try_channels": ("test_notifications", "try_channels"),
    "unusual_day": ("forget_today",),
    "unusual_value": ("release_row", "correct_row", "dismiss_row", "decide_row"),
    "vacation": ("set_vacation", "switch_vacation"),
    "what_if": ("ask_why_not", "plan_variant", "ask_what_if", "ask_days"),
}
_BY_OPERATION = {
    operation: action for action, operations in ACTIONS.items() for operation in operations
}


def name_action(operation: str, language: Language) -> str:
    """Return what an operation does; its id where it has no words."""
    action = _BY_OPERATION.get(operation)
    return operation if action is None else NAMES.say(action, language)
