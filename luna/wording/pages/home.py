"""What the page Home says."""

from luna.wording.pages import Phrase

PHRASES = {
    "title": Phrase("Home", "Zuhause"),
    "no_plan": Phrase("No plan yet.", "Noch kein Plan."),
    "no_plan_lead": Phrase("Luna plans as soon as prices and a forecast are there.", "Luna plant, sobald Preise und eine Prognose da sind."),
}
