"""What an institution's ingestion keeps: keys, proposals, files of jobs, receipts, studies, boxes and flags"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_FORMER_JOBS: dict[str, Any] = {
    "id": sa.String(),
    "caller_id": sa.Text(),
    "collection": sa.String(),
    "state": sa.String(),
    "filename": sa.Text(),
    "stated_metadata": sa.JSON(),
    "created_at": sa.DateTime(timezone=True),
    "finished_at": sa.DateTime(timezone=True),
}


_EDITION_COLUMNS = (
    "external_id",
    "publication_types",
    "study_design",
    "evidence_grade",
    "retraction",
    "withdrawn",
    "review_by",
    "retired_on",
    "supersedes",
    "content_sha256",
    "likeness",
)


def _job(upload: Any) -> dict[str, Any]:
    kept = ("id", "caller_id", "collection", "state", "stated_metadata", "created_at", "finished_at")
    return {
        **{name: upload[name] for name in kept},
        "source": "upload",
        "paths": [upload["filename"]],
        "restore": False,
        "cancel_requested": False,
        "passages": 0,
    }


def upgrade() -> None:
    op.create_table(
        "document_keys",
        sa.Column("collection_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name=op.f("fk_document_keys_collection_id_collections")
        ),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name=op.f("fk_document_keys_document_id_documents")),
        sa.PrimaryKeyConstraint("collection_id", "key", name=op.f("pk_document_keys")),
    )
    op.create_index(op.f("ix_document_keys_document_id"), "document_keys", ["document_id"])
    op.execute("INSERT INTO document_keys (collection_id, key, document_id) SELECT collection_id, key, id FROM documents")
    op.drop_index("ix_documents_collection_id_key", "documents")
    op.drop_column("documents", "key")
    op.create_index(op.f("ix_documents_collection_id"), "documents", ["collection_id"])
    op.create_table(
        "proposals",
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("like_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("document_id", "like_id", name=op.f("pk_proposals")),
    )
    op.create_index(op.f("ix_proposals_state"), "proposals", ["state"])
    for column in (
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("publication_types", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("study_design", sa.Text(), nullable=True),
        sa.Column("evidence_grade", sa.Text(), nullable=True),
        sa.Column("retraction", sa.Text(), nullable=True),
        sa.Column("withdrawn", sa.String(length=10), nullable=True),
        sa.Column("review_by", sa.String(length=10), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("supersedes", sa.Text(), nullable=True),
        sa.Column("content_sha256", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("likeness", sa.String(length=32), nullable=False, server_default=""),
    ):
        op.add_column("editions", column)
    op.execute(
        "UPDATE editions SET external_id = (SELECT external_id FROM documents WHERE documents.id = editions.document_id)"
    )
    op.drop_column("documents", "external_id")
    op.drop_index("ix_editions_document_id", "editions")
    op.create_index("ix_editions_document_id_state", "editions", ["document_id", "state"])
    op.create_index("ix_editions_document_id_content_sha256", "editions", ["document_id", "content_sha256"])
    op.create_index("ix_editions_source", "editions", ["source"])
    op.create_index("ix_editions_source_sha256", "editions", ["source_sha256"])
    op.create_index(op.f("ix_editions_likeness"), "editions", ["likeness"])
    op.add_column("passages", sa.Column("boxes", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("passages", sa.Column("flags", sa.String(length=100), nullable=False, server_default=""))
    op.create_index("ix_passages_flags", "passages", ["flags"])
    former = sa.table("jobs", *(sa.column(name, type_) for name, type_ in _FORMER_JOBS.items()))
    uploads = op.get_bind().execute(sa.select(former)).mappings().all()
    op.drop_index("ix_jobs_state", "jobs")
    op.drop_table("jobs")
    jobs = op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("paths", sa.JSON(), nullable=False),
        sa.Column("stated_metadata", sa.JSON(), nullable=False),
        sa.Column("restore", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    for upload in uploads:
        op.execute(jobs.insert().values(**_job(upload)))
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"])
    op.create_index(op.f("ix_jobs_created_at"), "jobs", ["created_at"])
    op.create_table(
        "job_files",
        sa.Column("job_id", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document_id", sa.String(length=32), nullable=True),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_files_job_id_jobs")),
        sa.PrimaryKeyConstraint("job_id", "ordinal", name=op.f("pk_job_files")),
    )
    op.create_table(
        "removals",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("document_id", sa.String(length=32), nullable=False),
        sa.Column("edition_ids", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("collection", sa.String(length=100), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("purged", sa.Boolean(), nullable=False),
        sa.Column("original_erased", sa.Boolean(), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removals")),
    )
    op.create_index(op.f("ix_removals_document_id"), "removals", ["document_id"])


def downgrade() -> None:
    """Loses all but one of a document's keys, proposals, jobs that were no uploads and the results of those that were,
    receipts of removals, and what editions and passages were given here: studies, grades, retractions, withdrawals,
    retirements, boxes, flags. What was removed stays removed."""
    op.drop_table("removals")
    _restore_former_jobs()
    op.drop_table("proposals")
    for index in ("content_sha256", "state"):
        op.drop_index(f"ix_editions_document_id_{index}", "editions")
    for index in ("source", "source_sha256", "likeness"):
        op.drop_index(f"ix_editions_{index}", "editions")
    op.create_index("ix_editions_document_id", "editions", ["document_id"])
    op.drop_index("ix_passages_flags", "passages")
    op.drop_column("passages", "flags")
    op.drop_column("passages", "boxes")
    op.add_column("documents", sa.Column("external_id", sa.Text(), nullable=True))
    op.execute(
        "UPDATE documents SET external_id = (SELECT external_id FROM editions WHERE editions.document_id = documents.id"
        " AND external_id IS NOT NULL ORDER BY ingested_at DESC LIMIT 1)"
    )
    for column in _EDITION_COLUMNS:
        op.drop_column("editions", column)
    op.drop_index("ix_documents_collection_id", "documents")
    op.add_column("documents", sa.Column("key", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE documents SET key = COALESCE((SELECT key FROM document_keys WHERE document_id = documents.id"
        " ORDER BY CASE WHEN key LIKE 'id:%' THEN 0 WHEN key LIKE 'doi:%' THEN 1 ELSE 2 END, key LIMIT 1), 'document:' || id)"
    )
    op.create_index("ix_documents_collection_id_key", "documents", ["collection_id", "key"], unique=True)
    op.drop_table("document_keys")


def _restore_former_jobs() -> None:
    later = sa.table(
        "jobs", *(sa.column(name, type_) for name, type_ in _FORMER_JOBS.items() if name != "filename"),
        sa.column("source", sa.String()), sa.column("paths", sa.JSON()),
    )
    uploads = op.get_bind().execute(sa.select(later).where(later.c.source == "upload")).mappings().all()
    op.drop_table("job_files")
    op.drop_table("jobs")
    jobs = op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("caller_id", sa.Text(), nullable=False),
        sa.Column("collection", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stated_metadata", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"])
    for upload in uploads:
        kept = {name: upload[name] for name in _FORMER_JOBS if name != "filename"}
        op.execute(jobs.insert().values(**kept, filename=upload["paths"][0], sha256="", result=[]))
