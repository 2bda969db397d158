"""Where the learning agent stands on the road to control, in words."""

from collections.abc import Mapping

from luna.words.numbers import Language

Phrases = Mapping[str, Mapping[Language, str]]

# Why a mode of control is offered, or not: codes of ``agent_gates.reason``.
REASONS: Phrases = {
    "not_judged": {"en": "The gatekeeper has not judged it yet.", "de": "Der Torwächter hat noch nicht darüber geurteilt."},
    "no_artefact": {"en": "No agent has been trained yet.", "de": "Noch ist kein Agent trainiert."},
    "replay_days": {
        "en": "{days} of {needed} recorded days have been replayed.",
        "de": "{days} von {needed} aufgezeichneten Tagen sind nachgespielt.",
    },
    "shadow_days": {
        "en": "The agent has planned beside the planner on {days} of {needed} days.",
        "de": "Der Agent hat an {days} von {needed} Tagen neben dem Planer geplant.",
    },
    "behind": {
        "en": "On {days} days the agent may be dearer than the planner by more than 1 % of what could be saved.",
        "de": "An {days} Tagen könnte der Agent um mehr als 1 % der möglichen Ersparnis teurer sein als der Planer.",
    },
    "no_dearer": {
        "en": "On {days} days the agent was no dearer than the planner.",
        "de": "An {days} Tagen war der Agent nicht teurer als der Planer.",
    },
    "cheaper": {
        "en": "On {days} days the agent was surely cheaper than the planner.",
        "de": "An {days} Tagen war der Agent sicher günstiger als der Planer.",
    },
    "losing_streak": {
        "en": "Lately the agent lost more against the planner than chance explains.",
        "de": "Zuletzt verlor der Agent gegen den Planer mehr, als Zufall erklärt.",
    },
    "interventions": {
        "en": "The safety layer had to correct the agent too often.",
        "de": "Die Sicherheitsschicht musste den Agenten zu oft berichtigen.",
    },
    "new_evidence": {
        "en": "On {days} days since it was withdrawn the agent was no dearer than the planner.",
        "de": "An {days} Tagen seit dem Entzug war der Agent nicht teurer als der Planer.",
    },
    "always": {"en": "It reaches no device.", "de": "Er erreicht kein Gerät."},
    "by_owner": {"en": "It was decided by hand.", "de": "Das wurde von Hand entschieden."},
}

NEXT_STEPS: Phrases = {
    "train": {"en": "The agent has to be trained.", "de": "Der Agent muss trainiert werden."},
    "replay": {
        "en": "{missing} more recorded days have to be replayed.",
        "de": "Noch {missing} aufgezeichnete Tage müssen nachgespielt werden.",
    },
    "shadow": {
        "en": "The agent has to plan beside the planner on {missing} more days.",
        "de": "Der Agent muss noch an {missing} Tagen neben dem Planer planen.",
    },
    "judge": {"en": "The gatekeeper judges in the next night.", "de": "Der Torwächter urteilt in der nächsten Nacht."},
    "improve": {
        "en": "The agent has to become surer: it may still be dearer than the planner.",
        "de": "Der Agent muss sicherer werden: Noch könnte er teurer sein als der Planer.",
    },
    "ask": {"en": "{mode} is offered: you may ask for it.", "de": "{mode} wird angeboten: du kannst es verlangen."},
    "prove_again": {
        "en": "{mode} was withdrawn. {missing} more days in shadow without loss bring it back, or you do.",
        "de": "{mode} wurde entzogen. Noch {missing} Tage im Schatten ohne Verlust bringen es zurück, oder du.",
    },
    "restore": {
        "en": "{mode} was withdrawn by hand; restore it if you want it back.",
        "de": "{mode} wurde von Hand entzogen; gib es frei, wenn du es zurückwillst.",
    },
    "none": {
        "en": "None: the agent decides where its plan is safe and cheaper.",
        "de": "Keiner: Der Agent entscheidet, wo sein Plan sicher und günstiger ist.",
    },
}

MODES: Phrases = {
    "shadow": {"en": "Shadow", "de": "Schatten"},
    "export_only": {"en": "Selling", "de": "Verkaufen"},
    "full_control": {"en": "Full control", "de": "Volle Steuerung"},
}

# Why the agent's plan is followed, or the planner's: codes of ``GateVerdict``.
VERDICTS: Phrases = {
    "agent_cheaper": {"en": "The agent's plan is safe and expected to cost less.", "de": "Der Plan des Agenten ist sicher und voraussichtlich günstiger."},
    "mode_is_shadow": {"en": "The agent only plans beside the planner.", "de": "Der Agent plant nur neben dem Planer."},
    "mode_not_offered": {"en": "The evidence for what was asked for is not there yet.", "de": "Was verlangt ist, hat der Agent noch nicht belegt."},
    "mode_withdrawn": {"en": "Control was withdrawn from the agent.", "de": "Dem Agenten wurde die Steuerung entzogen."},
    "not_cheaper": {"en": "The agent's plan is not expected to cost less.", "de": "Der Plan des Agenten ist voraussichtlich nicht günstiger."},
    "not_safe": {
        "en": "The agent's plan misses a limit that the planner's keeps.",
        "de": "Der Plan des Agenten verfehlt eine Grenze, die der des Planers hält.",
    },
    "no_artefact": {"en": "No agent was trained that could plan for this site.", "de": "Kein Agent ist trainiert, der für diesen Standort planen könnte."},
    "plan_failed": {"en": "The agent made no plan.", "de": "Der Agent hat keinen Plan gemacht."},
    "no_verdict": {
        "en": "No plan of the agent has been judged yet for what it may do now.",
        "de": "Für das, was der Agent jetzt darf, ist noch kein Plan von ihm beurteilt.",
    },
}


def say(phrases: Phrases, code: str, language: Language, **figures: object) -> str:
    """Return what a code means, with its figures."""
    return phrases[code][language].format(**figures)
