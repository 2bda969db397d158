"""Documents, their passages, and the passages' vectors."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.sql import text as sql_text

from luna.platform.database.schema.metadata import document, instant, metadata, text
from luna.platform.database.schema.sites import sites

revisions = Sequence("vector_revisions", metadata=metadata)

documents = Table(
    "documents",
    metadata,
    text("document_id", primary_key=True),
    Column(
        "site_key",
        ForeignKey(sites.c.site_key, ondelete="CASCADE"),
        comment="whose people alone find it; empty: everybody",
    ),
    text("name", "of the file, or its address; the same through its versions"),
    Column("version", Integer, nullable=False),
    Column(
        "current",
        Boolean,
        nullable=False,
        server_default=sql_text("false"),
        comment="whether searches find it",
    ),
    text("title"),
    text("kind", "contract, tariff, manual, regulation, subsidy, other"),
    text("language", nullable=True),
    Column("dated", Date),
    Column("valid_from", Date, comment="the first day on which it holds; empty: nobody says"),
    Column("valid_until", Date, comment="the last day on which it holds; empty: nobody says"),
    text("source", "upload, archive, url, example"),
    text("url", nullable=True),
    text("media_type", "by its content"),
    text("sha256", "of the bytes, which are stored once"),
    text("object_key"),
    Column("size_bytes", BigInteger, nullable=False),
    Column("pages", Integer),
    text("state", "stored, extracted, chunked, embedded, searchable, failed"),
    document("fault", "why it failed: code, message, remedy", nullable=True),
    document("notes", "codes of what was left out", server_default=sql_text("'[]'")),
    text("added_by"),
    text("job_id", nullable=True),
    instant("stored_at", server_default=func.now()),
    instant("changed_at", server_default=func.now()),
    Index("ix_documents_sha256", "sha256"),
    comment="A stored file, a row per version",
)
_owner = func.coalesce(documents.c.site_key, 0)
Index("uq_documents_name", _owner, documents.c.name, documents.c.version, unique=True)
Index(
    "uq_documents_current",
    _owner,
    documents.c.name,
    unique=True,
    postgresql_where=documents.c.current,
)

chunks = Table(
    "chunks",
    metadata,
    Column("chunk_id", BigInteger, Identity(always=True), primary_key=True),
    Column("document_id", ForeignKey(documents.c.document_id, ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False, comment="0, 1, 2, … within the document"),
    Column("page", Integer, comment="on which it begins, from 1"),
    Column("page_end", Integer),
    document("headings", "path of headings above it"),
    text("passage"),
    UniqueConstraint("document_id", "position", name="uq_chunks_document_id_position"),
    comment="A passage with its place in the document",
)

chunk_vectors = Table(
    "chunk_vectors",
    metadata,
    Column("chunk_id", ForeignKey(chunks.c.chunk_id, ondelete="CASCADE"), primary_key=True),
    text("model", primary_key=True),
    Column(
        "vector",
        LargeBinary,
        comment=(
            "float16, little-endian, of unit length; empty: there is no embedding model, words "
            "alone are indexed"
        ),
    ),
    Column(
        "revision",
        BigInteger,
        nullable=False,
        server_default=revisions.next_value(),
        comment="ascending in the order of commits: an index follows from the last one it knows",
    ),
    Index("ix_chunk_vectors_revision", "revision"),
    comment="What an index of passages is made from; derived, luna rag reindex makes it anew",
)

vector_removals = Table(
    "vector_removals",
    metadata,
    Column("revision", BigInteger, primary_key=True, server_default=revisions.next_value()),
    Column("chunk_id", BigInteger, nullable=False),
    comment="Chunks that every index has to forget",
)

vector_indexes = Table(
    "vector_indexes",
    metadata,
    text("name", primary_key=True),
    Column("revision", BigInteger, nullable=False),
    comment="How far an index on a server follows; one in a folder of a process notes that itself",
)
