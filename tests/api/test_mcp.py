"""``taiyi-rag mcp`` as a process of its own, spoken to by the client of the protocol's own library."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError, StdioServerParameters

from conftest import EXECUTABLE
from rag import keys
from rag.database import open_database
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

QUESTION = "Below which eGFR is metformin contraindicated?"


@asynccontextmanager
async def connected(home: Path, key: str = "") -> AsyncIterator[Client]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "RAG_DATABASE_URL") if name in os.environ}
    server = StdioServerParameters(
        command=str(EXECUTABLE), args=["mcp"], env={**environment, "RAG_HOME": str(home), "RAG_MCP_KEY": key}
    )
    async with Client(server) as client:
        yield client


def speak(home: Path, say: Callable[[Client], Awaitable[None]], key: str = "") -> None:
    async def run() -> None:
        async with connected(home, key) as client:
            await say(client)

    anyio.run(run)


async def called(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content == json.loads(result.content[0].text)
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    said: str = result.content[0].text
    return said


def key_for(home: Path, collections: list[str]) -> tuple[str, str]:
    """The id and secret of a reader's key."""
    settings = Settings(home=home)
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
        key, secret = keys.create(session, LOCAL_ADMIN, "assistant", Role.READER, collections)
    return key.id, secret


def revoke(home: Path, key_id: str) -> None:
    settings = Settings(home=home)
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
        keys.revoke(session, LOCAL_ADMIN, key_id)


def test_an_assistant_searches_asks_and_opens_what_is_cited(sample_copy: Path) -> None:
    async def say(client: Client) -> None:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"search", "ask", "get_passage"}
        assert all(tool.annotations.read_only_hint for tool in (await client.list_tools()).tools)
        hits = (await called(client, "search", query=QUESTION, top_k=3))["hits"]
        assert len(hits) == 3
        answer = await called(client, "ask", question=QUESTION)
        assert answer["status"] == "answered"
        cited = answer["citations"][0]
        passage = await called(client, "get_passage", passage_id=cited["passage_id"])
        assert cited["quote"] in passage["text"]
        read = await client.read_resource(f"taiyi://passages/{cited['passage_id']}")
        assert json.loads(read.contents[0].text) == passage
        collections = json.loads((await client.read_resource("taiyi://collections")).contents[0].text)
        assert [one["name"] for one in collections["collections"]] == ["default"]

    speak(sample_copy, say)


def test_what_is_wrong_is_said_in_words_and_the_next_call_goes_on(sample_copy: Path) -> None:
    async def say(client: Client) -> None:
        assert "no passage" in await refusal(client, "get_passage", passage_id="x")
        assert "top_k" in await refusal(client, "search", query=QUESTION, top_k=1000)
        assert "query" in await refusal(client, "search", query="   ")
        assert "nonsense" in await refusal(client, "search", query=QUESTION, filters={"nonsense": "1"})
        assert "secret" in await refusal(client, "search", query=QUESTION, collections=["secret"])
        with pytest.raises(MCPError, match="no passage"):
            await client.read_resource("taiyi://passages/99999999")
        assert (await called(client, "search", query=QUESTION))["hits"]

    speak(sample_copy, say)


def test_with_a_key_only_what_it_may_read_exists_and_a_revoked_one_ends_at_once(sample_copy: Path) -> None:
    key_id, elsewhere = key_for(sample_copy, ["elsewhere"])

    async def say(client: Client) -> None:
        assert (await called(client, "search", query=QUESTION))["hits"] == []
        assert "default" in await refusal(client, "search", query=QUESTION, collections=["default"])
        assert "no passage" in await refusal(client, "get_passage", passage_id="1")
        assert (await called(client, "ask", question=QUESTION))["status"] == "abstained"
        await anyio.to_thread.run_sync(revoke, sample_copy, key_id)
        assert "revoked" in await refusal(client, "search", query=QUESTION)
        assert "revoked" in await refusal(client, "ask", question=QUESTION)

    speak(sample_copy, say, elsewhere)
