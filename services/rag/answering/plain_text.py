"""Makes plain text of answers: no markup, pictures, active links or invisible characters.

Recognises orders to a language model in documents.

Source: OWASP, "LLM01: prompt injection", 2025: what documents say is data; OWASP, "LLM05: improper
output handling".
"""

import re
import unicodedata

_IMAGE = re.compile(r"!\[([^\]]*)\]\s*(?:\([^)]*\)|\[[^\]]*\])|!\[[^\]]*\]")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(\s*<?([^)\s>]*)[^)]*\)")
_DEFINITION = re.compile(r"^\s*\[[^\]]+\]:\s*\S+.*$", re.MULTILINE)
_TAG = re.compile(r"<(?:!--.*?(?:-->|\Z)|/?[a-zA-Z][^<>]*>)", re.DOTALL)
URL = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,15}://|\bwww\.|//(?=[\w-]+\.\w)|\b(?:javascript|data|"
    r"mailto):)[^\s<>\"'`|\])}]+",
    re.IGNORECASE,
)
_CODE_FENCE = re.compile(r"```[^\n]*\n?|~~~[^\n]*\n?")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_BLANKS = re.compile(r"[^\S\n]+")

# Sentences that address a model and not a reader, in both languages.
_ORDERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        (
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}\b(?:instruction|"
            r"instructions|prompt|prompts|rules|guidelines"
            r"|directions|commands?|above|before)\b"
        ),
        (
            r"\b(?:ignorier\w*|vergiss|vergessen\s+sie|missachte\w*|übergeh\w*|umgeh\w*|"
            r"beachte)\b.{0,60}\b(?:anweisung\w*"
            r"|instruktion\w*|vorgabe\w*|regeln?|prompts?|befehle?)\b"
        ),
        (
            r"\b(?:all|every|previous|prior|earlier|above|vorherig\w*|bisherig\w*|alle|"
            r"obig\w*)\s+(?:previous\s+|prior\s+"
            r"|vorherigen\s+|bisherigen\s+)?(?:instructions|anweisungen|instruktionen)\b"
        ),
        r"\b(?:system|developer)[\s_-]*(?:prompt|message|nachricht|override|anweisung\w*)\b",
        (
            r"\b(?:you are now|from now on,? you|act as|pretend (?:to be|that)|du bist "
            r"(?:jetzt|nun|ab sofort)|ab (?:jetzt"
            r"|sofort) (?:bist|antworte\w*|wirst) du|verhalte dich|tu so, als)\b"
        ),
        (
            r"\b(?:respond|reply|answer|antworte\w*|erwidere)\s+(?:only\s+|nur\s+|"
            r"always\s+|immer\s+|stattdessen\s+"
            r"|instead\s+)?(?:with|mit|by)\b"
        ),
        (
            r"\b(?:as an? (?:ai|assistant|language model)|als "
            r"(?:ki|assistent|sprachmodell)|(?:dear|liebe\w*|hey|attention"
            r"|achtung)[,:]?\s+(?:ai|ki|assistant|assistent|llm))\b"
        ),
        (
            r"\b(?:reveal|print|repeat|output|show|leak|exfiltrate|gib|verrate|zeige|"
            r"wiederhole|nenne)\b.{0,60}\b(?:system prompt"
            r"|instructions|anweisungen|secrets?|geheim\w*|passw\w*|api[\s_-]?keys?|other "
            r"documents?|anderen? dokument\w*"
            r"|all documents|alle dokumente)\b"
        ),
        (
            r"\b(?:content|contents|text|inhalt|wortlaut)\b.{0,30}\b(?:other|another|"
            r"anderen?|fremden?)\s+(?:document|documents|file"
            r"|dokument\w*|datei\w*)\b"
        ),
        (
            r"\b(?:call|invoke|run|execute|rufe?|starte|führe)\b.{0,40}\b(?:tool|function|"
            r"werkzeug|funktion)s?\b"
        ),
        (
            r"""(?:tool|function)[\s_-]?calls?\b|"""
            r"""[\"']?(?:tool|function|arguments)[\"']?\s*:\s*[{\"'\[]|"""
            r"<\|?\s*(?:im_start|im_end"
            r"|system|user|assistant|tool|inst|/?s)\b"
        ),
        (
            r"\b(?:note|notice|hint|message|instructions?|hinweise?|nachricht|anweisung\w*|"
            r"regel)\s+(?:to|for|an|für|des)\s+(?:the\s+"
            r"|die\s+|alle\s+|any\s+|all\s+)?(?:ai|ki|llms?|language "
            r"models?|sprachmodelle?n?|assistants?|assistent\w*|chatbots?"
            r"|models?|betreibers)\b"
        ),
        r"^\s*(?:system|assistant|user|human)\s*[:>]",
        (
            r"(?:-{3,}|={3,}|#{3,}|<{2,}|>{2,}|\[)\s*/?(?:begin|end|start|ende|anfang)?"
            r"\s*(?:of\s+)?(?:passages?|documents?|data"
            r"|quellen?|context|sources?)\b.{0,40}(?:-{2,}|={2,}|#{2,}|<{2,}|>{2,}|\])"
        ),
        r"</?(?:passage|document|data|context|source|instructions?)\b",
        (
            r"\b(?:render|embed|include|display|append|insert|füge|binde|hänge|zeige)\b.{0,"
            r"60}(?:!\[|\bimages?\b|\bbild(?:er)?\b"
            r"|\bmarkdown\b|\blinks?\b).{0,80}(?:://|\bappend|\bwith\b|\bmit\b)"
        ),
    )
)


def to_plain_text(text: str, *, allowed_urls: frozenset[str] = frozenset()) -> str:
    """Return a text without markup; of its addresses only ``allowed_urls`` stay, as text.

    Invariants: a second time changes nothing; no picture, no tag, no control character is left.
    """
    before = None
    while before != text:
        before = text
        text = _DEFINITION.sub("", _drop_invisible(text))
        text = _IMAGE.sub(r"\1", text)
        text = _LINK.sub(r"\1 (\2)", text)
        text = _CODE_FENCE.sub("", _TAG.sub("", text))
        text = _EMPHASIS.sub(r"\2", text)
        text = _drop_urls(text, allowed_urls).replace("()", "")
        text = _BLANKS.sub(" ", text).replace(" \n", "\n").replace("\n ", "\n").strip()
    return text


def urls_of(text: str) -> frozenset[str]:
    """Return the addresses in a text."""
    return frozenset(match.group().rstrip(".,;:!?") for match in URL.finditer(text))


def gives_orders(sentence: str) -> bool:
    """Return whether a sentence of a document addresses a language model, not a reader."""
    flat = _BLANKS.sub(" ", _drop_invisible(sentence))
    return any(pattern.search(flat) for pattern in _ORDERS)


def _drop_urls(text: str, allowed_urls: frozenset[str]) -> str:
    """Return a text without the addresses that are not allowed; their final punctuation stays."""

    def replace_url(match: re.Match[str]) -> str:
        url = match.group()
        bare = url.rstrip(".,;:!?")
        is_active = bare.lower().startswith(("javascript:", "data:"))
        if bare in allowed_urls and not is_active:
            return url
        return url[len(bare) :]

    return URL.sub(replace_url, text)


def _drop_invisible(text: str) -> str:
    """Return a text without controls, zero-width and bidirectional marks, surrogates."""
    visible = [char for char in text if char == "\n" or not _is_invisible(char)]
    return "".join(visible).replace("\u2028", "\n")


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")
