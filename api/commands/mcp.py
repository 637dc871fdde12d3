"""``mcp``."""

import click

from api.commands.shared import open_home
from rag.errors import Unavailable


@click.command()
def mcp() -> None:
    """Serve search, ask and get_passage to an assistant by the Model Context Protocol, over standard input and output.

    It acts as the person at this machine, or with the key in RAG_MCP_KEY.
    """
    try:
        from api.mcp_server import mcp_server
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise Unavailable("The MCP server needs another package: pip install 'taiyi-rag[mcp]'") from None
    import anyio

    with open_home() as system:

        async def serve() -> None:
            try:
                await mcp_server(system).run_stdio_async()
            finally:
                if system.llm is not None:
                    await system.llm.aclose()

        anyio.run(serve)
