"""Refusal reasons of documents, questions and answers."""

from luna.energy.errors import ForbiddenError, NotFoundError, UnavailableError
from luna.energy.refusals.reason import RefusalReason

REASONS: dict[str, RefusalReason] = {
    "no-answer-in-time": RefusalReason(
        "no answer came in time",
        "Check that a worker runs, then ask again.",
        error=UnavailableError,
    ),
    "knowledge-service-away": RefusalReason(
        "no worker of the knowledge service answers",
        "Run one: python -m luna.platform.queue.worker --queues rag",
        error=UnavailableError,
    ),
    "document-of-everybody": RefusalReason(
        "only who may see every home may add a document for all",
        "Name one of your homes: {known}.",
        error=ForbiddenError,
    ),
    "document-form-too-many": RefusalReason(
        "the form has more than {most} files", "Send them in several forms."
    ),
    "title-of-several-files": RefusalReason(
        "one title cannot be given to several files", "Leave it out, or send the files one by one."
    ),
    "index-incomplete": RefusalReason(
        "the index of passages is not complete yet",
        "Try again in a few minutes; documents you added are kept.",
        error=UnavailableError,
    ),
    "no-embedding-model": RefusalReason(
        "there is no embedding model on this machine",
        "Let Luna fetch its own once, or name a server.",
        error=UnavailableError,
    ),
    "no-conversation-of-yours": RefusalReason(
        "no such conversation",
        "Take the id from an answer of yours, or leave it out to start a new conversation.",
        error=NotFoundError,
    ),
    "document-too-large": RefusalReason(
        "has more than {most} bytes",
        "Split it, or let an admin raise the setting document_max_bytes.",
        kinds={"most": "bytes"},
    ),
    "no-site-of-asker": RefusalReason("no such site", "{remedy}", error=NotFoundError),
    "no-such-tool": RefusalReason("no such tool", "Choose one of: {names}.", error=NotFoundError),
    "no-tool-of-this-name": RefusalReason("no such tool", "Choose one from the list."),
    "tool-arguments-unreadable": RefusalReason(
        "the arguments cannot be read", "Give what the tool's schema asks for."
    ),
    "tool-arguments-too-long": RefusalReason(
        "the arguments are too long", "Give at most {most} characters."
    ),
    "clock-skips-window": RefusalReason(
        "this time does not exist: the clocks go forward", "Choose a longer time."
    ),
    "which-site": RefusalReason("which home is meant is not clear", "{remedy}"),
    "embedding-away": RefusalReason(
        "the embedding model does not answer: {why}",
        "Check that the server runs and has the model {model}; until then Luna searches by words.",
        error=UnavailableError,
    ),
    "index-away": RefusalReason(
        "the index of passages does not answer: {why}",
        "Check that Qdrant runs and accepts the key; passages are kept in the database.",
        error=UnavailableError,
    ),
    "too-few-choices": RefusalReason(
        "too few choices of readers were logged", "Report what readers did: POST /v1/events."
    ),
}
