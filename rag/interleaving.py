"""Several streams read as one."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None


async def interleaved(*streams: AsyncGenerator[Item]) -> AsyncGenerator[Item]:
    """What the streams give, each thing as soon as it is there: none waits for another. Where some raise, the others
    are read to their end, and what the first one raised is raised then. Ends all of them when it is closed."""
    given: asyncio.Queue[Item | _Ended] = asyncio.Queue()

    async def read(stream: AsyncGenerator[Item]) -> None:
        try:
            async with aclosing(stream):
                async for one in stream:
                    given.put_nowait(one)
        except Exception as error:  # handed on to the reader
            given.put_nowait(_Ended(error))
        else:
            given.put_nowait(_Ended(None))

    reading = [asyncio.create_task(read(stream)) for stream in streams]
    try:
        ended: list[_Ended] = []
        while len(ended) < len(streams):
            one = await given.get()
            if isinstance(one, _Ended):
                ended.append(one)
            else:
                yield one
        for stream_end in ended:
            if stream_end.error is not None:
                raise stream_end.error
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
