"""``backup``, ``restore``, ``downgrade``."""

from pathlib import Path

import click

from api.commands.shared import as_json, print_json


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--without-index", is_flag=True, help="Leave the indexes out; restoring then embeds everything anew.")
@click.option("--without-audit-key", is_flag=True, help="Leave out the key of the audit record; keep it yourself.")
@as_json
def backup(file: Path, without_index: bool, without_audit_key: bool, as_json: bool) -> None:
    """Write the home and its database, as they are now, into FILE. The service may go on meanwhile.

    Models and fetched corpora are left out. The file holds documents, questions and answers: keep it accordingly.
    """
    from rag.backup import write_backup
    from rag.settings import read_settings

    written = write_backup(read_settings(), file.absolute(), not without_index, not without_audit_key)
    if as_json:
        print_json(
            [
                {
                    "file": str(written.file),
                    "bytes": written.bytes,
                    "rows": written.rows,
                    "originals": written.originals,
                    "index": written.index,
                    "audit_key": written.audit_key,
                    "missing": list(written.missing),
                }
            ]
        )
        return
    size = f"{written.bytes / 1e6:.1f} MB"
    click.echo(f"{written.file}: {size}, {written.rows} rows, {written.originals} original files.")
    for name in written.missing:
        click.echo(f"Not in it, since it is gone: {name}", err=True)
    if not written.index:
        click.echo("The indexes are not in it; restoring embeds everything anew.", err=True)
    if not written.audit_key:
        click.echo("The key of the audit record is not in it; without the key the record cannot be verified.", err=True)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="The home, by default RAG_HOME.")
@as_json
def restore(file: Path, into: Path | None, as_json: bool) -> None:
    """Restore a backup into an empty home and, where RAG_DATABASE_URL names one, an empty database."""
    from rag.restoring import restore_backup
    from rag.settings import read_settings

    settings = read_settings()
    restored = restore_backup(settings.model_copy(update={"home": into}) if into else settings, file.absolute())
    if as_json:
        print_json(
            [
                {
                    "rows": restored.rows,
                    "originals": restored.originals,
                    "created_at": restored.created_at,
                    "index": restored.index,
                    "audit_key": str(restored.audit_key) if restored.audit_key else None,
                }
            ]
        )
        return
    click.echo(f"As of {restored.created_at}: {restored.rows} rows, {restored.originals} original files.")
    if restored.audit_key:
        click.echo(f"The key of the audit record was not in the backup: put it at {restored.audit_key}.", err=True)
    if not restored.index:
        click.echo("Then run taiyi-rag reindex, which makes the indexes.", err=True)
    click.echo("taiyi-rag verify holds it all against each other.", err=True)


@click.command()
@click.argument("schema")
@click.option("--yes", is_flag=True, required=True, help="What the older schema has no place for is lost.")
def downgrade(schema: str, yes: bool) -> None:
    """Bring the database back to an older SCHEMA, such as 0006, for an older program. Stop the service first."""
    from rag.database import downgrade as bring_back
    from rag.settings import read_settings

    bring_back(read_settings().sql_url, schema)
    click.echo(f"The database has schema {schema} now; start nothing but the program that it belongs to.")
