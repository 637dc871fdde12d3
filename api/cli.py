"""The command line: ``taiyi-rag``. Nothing heavier than click is imported before a command runs.

Exit status 0 on success, 2 on wrong usage, 1 on failure with one line on stderr. With ``--json`` only JSON goes to
stdout, an object a line; progress and logs go to stderr.
"""

import logging
from typing import Any

import click

from api.commands.answers import answers
from api.commands.asking import ask, search
from api.commands.audit import audit
from api.commands.backup import backup, downgrade, restore
from api.commands.checking import check
from api.commands.collections import collections
from api.commands.comparing import compare
from api.commands.corpus import corpus
from api.commands.documents import documents
from api.commands.evaluating import evaluate
from api.commands.feedback import feedback
from api.commands.ingesting import ingest
from api.commands.jobs import jobs
from api.commands.keys import keys
from api.commands.mcp import mcp
from api.commands.serving import serve
from api.commands.upkeep import doctor, reindex, verify
from rag.errors import DISK_IS_SHUT, TaiyiError


class _Group(click.Group):
    """Turns the product's errors into one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TaiyiError as error:
            click.echo(f"taiyi-rag: {error}", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.errno not in DISK_IS_SHUT:
                raise
            where = error.filename or "RAG_HOME"
            click.echo(f"taiyi-rag: {error.strerror}: make room at {where}, or make it writable", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="taiyi-rag", prog_name="taiyi-rag")
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
def main(verbose: bool) -> None:
    """Medical questions answered in the words of your own documents, each sentence with its source.

    Answers are quotations from the documents you load. They are no medical advice.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("sentence_transformers", "transformers", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("rag").setLevel(logging.INFO)


for command in (
    ingest,
    jobs,
    search,
    ask,
    compare,
    documents,
    collections,
    answers,
    feedback,
    audit,
    corpus,
    evaluate,
    check,
    verify,
    reindex,
    keys,
    backup,
    restore,
    downgrade,
    doctor,
    serve,
    mcp,
):
    main.add_command(command)
