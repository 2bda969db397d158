"""Searching passages, and the vectors of text."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from luna.contracts.documents import DocumentId, DocumentKind, DocumentLanguage, SiteName
from luna.contracts.message import Message, Request
from luna.energy.timeline import Day

Retriever = Literal["dense", "sparse", "fused"]
MOST_PASSAGES = 100


class SearchFilter(Message):
    """The documents that a search covers; what is left out filters nothing."""

    kind: Annotated[DocumentKind | None, Field(description="documents of this kind alone")] = None
    language: Annotated[
        DocumentLanguage | None, Field(description="documents in this language alone")
    ] = None
    from_day: Annotated[Day | None, Field(description="documents dated this day or later")] = None
    to_day: Annotated[Day | None, Field(description="documents dated this day or before")] = None
    site_id: Annotated[
        SiteName | None,
        Field(
            description="documents of this site, and everybody's; null: of every site the asker has"
        ),
    ] = None
    document_ids: Annotated[
        tuple[DocumentId, ...] | None,
        Field(max_length=1000, description="a document by its id, of these alone"),
    ] = None


def format_place(title: str, page: int | None, headings: Sequence[str]) -> str:
    """Return where a passage stands: document, page, headings.

    One that is called as the document is said once.
    """
    return (
        f"{title}{f', page {page}' if page else ''}"
        f"{''.join(f' › {heading}' for heading in headings if heading != title)}"
    )


class Passage(Message):
    """A passage of a document, with its place in it."""

    chunk_id: int
    document_id: str
    title: str
    name: str
    kind: DocumentKind
    language: DocumentLanguage | None = None
    dated: date | None = None
    valid_from: Annotated[
        date | None,
        Field(description="the first day on which its document holds; null: unknown"),
    ] = None
    valid_until: Annotated[
        date | None,
        Field(description="the last day on which its document holds; null: unknown"),
    ] = None
    site_id: str | None = None
    page: Annotated[
        int | None, Field(description="on which it begins, from 1; null: the format has none")
    ] = None
    page_end: int | None = None
    headings: Annotated[list[str], Field(description="path of headings above it")] = []
    position: Annotated[int, Field(description="0, 1, 2, … within the document")]
    text: str
    score: Annotated[
        float, Field(description="of the retriever, 0 to 1; comparable within one answer only")
    ]
    dense_score: Annotated[
        float | None,
        Field(description="cosine of question and passage; null: not among the nearest"),
    ] = None
    sparse_score: Annotated[float | None, Field(description="BM25; null: no word in common")] = None

    @property
    def place(self) -> str:
        """The place of the passage in its document."""
        return format_place(self.title, self.page, self.headings)


class SearchReply(Message):
    """Passages, the best first."""

    passages: list[Passage]
    retriever: Annotated[
        Retriever, Field(description="fused; sparse where there is no embedding model")
    ]
    model: Annotated[str | None, Field(description="embedding model; null: none")]
    reranker: Annotated[
        str | None, Field(description="model that put them in order; null: none")
    ] = None


class SearchQuestion(Message):
    """The text of a search, with its filter."""

    query: Annotated[
        str,
        Field(min_length=1, max_length=2000, description="what to look for, in German or English"),
    ]
    k: Annotated[int, Field(ge=1, le=MOST_PASSAGES, description="how many passages at most")] = 10
    retriever: Annotated[
        Retriever, Field(description="dense: by vectors; sparse: by words; fused: by both")
    ] = "fused"
    filter: Annotated[SearchFilter, Field(description="which documents are looked at")] = (
        SearchFilter()
    )


class SearchRequest(Request, SearchQuestion):
    """Find the passages that are nearest to a query."""

    task: ClassVar[str] = "rag.passages.search"
    reply: ClassVar[type[Message]] = SearchReply

    sites: Annotated[
        tuple[str, ...] | None,
        Field(
            description="the asker's; null: all. Documents of other sites are not there for them"
        ),
    ] = None


class EmbedReply(Message):
    """One vector of unit length per text."""

    model: Annotated[str, Field(description="the embedding model")]
    dimensions: Annotated[int, Field(description="the length of a vector")]
    vectors: Annotated[list[list[float]], Field(description="in the order of the texts")]


class EmbedQuestion(Message):
    """Texts to turn into vectors."""

    texts: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=20_000)], ...],
        Field(min_length=1, max_length=128, description="up to 128"),
    ]
    role: Annotated[
        Literal["query", "passage"],
        Field(description="some models word a query otherwise than a passage"),
    ] = "passage"


class EmbedRequest(Request, EmbedQuestion):
    """Turn texts into vectors by the embedding model of the settings."""

    task: ClassVar[str] = "rag.text.embed"
    reply: ClassVar[type[Message]] = EmbedReply
