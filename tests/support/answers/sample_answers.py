"""Answers of tests: one with figures and a chart, one that is honest, one that cites."""

from datetime import UTC, datetime, timedelta
from typing import Any

from luna.contracts.answers import Answer, StoredAnswer

AT = datetime(2026, 10, 24, 16, 5, tzinfo=UTC)
DAY = [AT.replace(hour=0, minute=0) + timedelta(hours=hour) for hour in range(24)]
PRICES = {
    "tool": "price_course",
    "arguments": {"first": "2026-10-24", "price": "import"},
    "found": True,
    "text": "The price was 24 ct on average.",
    "figures": [{"name": "mean_import_price", "value": 0.24, "unit": "price", "text": "24 ct"}],
    "chart": {
        "title": "Prices of a day",
        "starts": [start.isoformat() for start in DAY],
        "series": [
            {
                "name": "Buy price",
                "unit": "price",
                "kind": "step",
                "values": [0.2 + 0.01 * hour if hour != 7 else None for hour in range(24)],
            },
            {"name": "Bought", "unit": "kwh", "kind": "bar", "values": [0.5] * 24},
        ],
    },
    "sources": [
        {
            "what": "series import_price of site home",
            "period": "2026-10-24/2026-10-25",
            "path": "/v1/sites/home/prices?from=2026-10-24",
        }
    ],
}


def tell(answer_id: str, **parts: Any) -> StoredAnswer:
    """Return an answer of a conversation ``talk`` as it is stored."""
    usual = {
        "answer_id": answer_id,
        "conversation_id": "talk",
        "question": "How did the price go?",
        "language": "en",
        "answer": "The price was 24 ct on average.",
        "refused": False,
        "prompt_version": "1",
        "answered_at": AT,
        "latency_seconds": 0.5,
    }
    return StoredAnswer(
        answer=Answer.model_validate(usual | parts), asked_by="local", site_id="home"
    )


def tell_answer(name: str, *, document_id: str = "paper", chunk_id: int = 1) -> StoredAnswer:
    """Return the answer of a name: ``prices``, ``refused`` or ``cited``."""
    place = {
        "chunk_id": chunk_id,
        "document_id": document_id,
        "title": "Liefervertrag",
        "page": 3,
        "headings": ["Laufzeit", "Kündigung"],
    }
    if name == "prices":
        return tell(
            name,
            tool_calls=[PRICES],
            sentences=[
                {"text": "The price was 24 ct on average.", "tool_calls": [0], "support": 1}
            ],
        )
    if name == "refused":
        nearest = place | {
            "name": "vertrag.md",
            "kind": "contract",
            "position": 0,
            "text": "Die Kündigungsfrist beträgt sechs Wochen.",
            "score": 0.2,
        }
        honest = "The documents do not say."
        return tell(
            name,
            question="Who won the match?",
            answer=honest,
            refused=True,
            nearest=[nearest],
            answered_at=AT + timedelta(minutes=1),
        )
    citation = place | {"number": 1, "quote": "Die Kündigungsfrist beträgt sechs Wochen."}
    return tell(
        name,
        question="Welche Kündigungsfrist gilt?",
        language="de",
        answer="Die Frist beträgt sechs Wochen [1].",
        citations=[citation],
        sentences=[
            {"text": "Die Frist beträgt sechs Wochen [1].", "citations": [1], "support": 0.9}
        ],
    )
