"""Documents, the passages they are cut into, and the passages' vectors.

Tables of these names that a release before kept for their rows step aside; nothing of them is lost.
"""

from alembic import op

from luna.platform.database.migrations.renaming import rename_table

revision = "9011"
down_revision = "9010"
branch_labels = None
depends_on = None

FORMER = ("chunks", "documents", "answers", "events", "items")
MARK = "former_"

CREATE = """
CREATE TABLE documents (
    document_id text NOT NULL,
    site_key integer,
    name text NOT NULL,
    version integer NOT NULL,
    current boolean NOT NULL DEFAULT false,
    title text NOT NULL,
    kind text NOT NULL,
    language text,
    dated date,
    source text NOT NULL,
    url text,
    media_type text NOT NULL,
    sha256 text NOT NULL,
    object_key text NOT NULL,
    size_bytes bigint NOT NULL,
    pages integer,
    state text NOT NULL,
    fault jsonb,
    notes jsonb NOT NULL DEFAULT '[]',
    added_by text NOT NULL,
    job_id text,
    stored_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_documents PRIMARY KEY (document_id),
    CONSTRAINT fk_documents_site_key FOREIGN KEY (site_key) REFERENCES sites (site_key) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_documents_name ON documents (coalesce(site_key, 0), name, version);
CREATE UNIQUE INDEX uq_documents_current ON documents (coalesce(site_key, 0), name) WHERE current;
CREATE INDEX ix_documents_sha256 ON documents (sha256);
COMMENT ON TABLE documents IS 'A stored file, a row per version';
COMMENT ON COLUMN documents.site_key IS 'whose people alone find it; empty: everybody';
COMMENT ON COLUMN documents.name IS 'of the file, or its address; the same through its versions';
COMMENT ON COLUMN documents.current IS 'whether searches find it';
COMMENT ON COLUMN documents.kind IS 'contract, tariff, manual, regulation, subsidy, other';
COMMENT ON COLUMN documents.source IS 'upload, archive, url, example';
COMMENT ON COLUMN documents.media_type IS 'by its content';
COMMENT ON COLUMN documents.sha256 IS 'of the bytes, which are stored once';
COMMENT ON COLUMN documents.state IS 'stored, extracted, chunked, embedded, searchable, failed';
COMMENT ON COLUMN documents.fault IS 'why it failed: code, message, remedy';
COMMENT ON COLUMN documents.notes IS 'codes of what was left out';
CREATE TABLE chunks (
    chunk_id bigint GENERATED ALWAYS AS IDENTITY,
    document_id text NOT NULL,
    position integer NOT NULL,
    page integer,
    page_end integer,
    headings jsonb NOT NULL,
    passage text NOT NULL,
    CONSTRAINT pk_chunks PRIMARY KEY (chunk_id),
    CONSTRAINT uq_chunks_document_id_position UNIQUE (document_id, position),
    CONSTRAINT fk_chunks_document_id FOREIGN KEY (document_id) REFERENCES documents (document_id) ON DELETE CASCADE
);
COMMENT ON TABLE chunks IS 'A passage with its place in the document';
COMMENT ON COLUMN chunks.position IS '0, 1, 2, … within the document';
COMMENT ON COLUMN chunks.page IS 'on which it begins, from 1';
COMMENT ON COLUMN chunks.headings IS 'path of headings above it';
CREATE SEQUENCE vector_revisions;
CREATE TABLE chunk_vectors (
    chunk_id bigint NOT NULL,
    model text NOT NULL,
    vector bytea,
    revision bigint NOT NULL DEFAULT nextval('vector_revisions'),
    CONSTRAINT pk_chunk_vectors PRIMARY KEY (chunk_id, model),
    CONSTRAINT fk_chunk_vectors_chunk_id FOREIGN KEY (chunk_id) REFERENCES chunks (chunk_id) ON DELETE CASCADE
);
CREATE INDEX ix_chunk_vectors_revision ON chunk_vectors (revision);
COMMENT ON TABLE chunk_vectors IS 'What an index of passages is made from; derived, luna rag reindex makes it anew';
COMMENT ON COLUMN chunk_vectors.vector IS 'float16, little-endian, of unit length; empty: there is no embedding model, words alone are indexed';
COMMENT ON COLUMN chunk_vectors.revision IS 'ascending in the order of commits: an index follows from the last one it knows';
CREATE TABLE vector_removals (
    revision bigint NOT NULL DEFAULT nextval('vector_revisions'),
    chunk_id bigint NOT NULL,
    CONSTRAINT pk_vector_removals PRIMARY KEY (revision)
);
COMMENT ON TABLE vector_removals IS 'Chunks that every index has to forget';
CREATE TABLE vector_indexes (
    name text NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT pk_vector_indexes PRIMARY KEY (name)
);
COMMENT ON TABLE vector_indexes IS 'How far an index on a server follows; one in a folder of a process notes that itself';
"""


def upgrade() -> None:
    for table in FORMER:
        rename_table(table, MARK + table, lambda name: MARK + name)
    op.execute(CREATE)


def downgrade() -> None:
    for table in ("vector_indexes", "vector_removals", "chunk_vectors", "chunks", "documents"):
        op.drop_table(table)
    op.execute("DROP SEQUENCE vector_revisions")
    for table in FORMER:
        rename_table(MARK + table, table, lambda name: name.removeprefix(MARK))
