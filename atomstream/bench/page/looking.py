"""A browser and viewers without eyes, and what each takes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice

import numpy as np

from atomstream.bench.page.chromium import opened
from atomstream.bench.page.figures import Endurance, Seen, Update
from atomstream.bench.page.interactions import interactions
from atomstream.bench.page.server import Server, serving
from atomstream.bench.page.viewer import Viewer
from atomstream.bench.spread import spread
from atomstream.progress import Report
from streamer.analysis import Analysis

PERIOD_S = 1.0
"""Between frames that a browser looks at."""
TURNS = 20
"""Of each interaction."""
FORGOTTEN_S = 40.0
"""After which the server has let go of pages that were closed: Bokeh looks for those
that nobody uses every 17 s, and lets go of them after 15."""
WARM = 5
"""Frames that do not count."""


async def seen(frames: Iterator[Analysis], count: int, report: Report) -> Seen:
    """Frames of a browser's page, one a second; then what a viewer does there."""
    with serving() as server:
        server.send(next(frames))
        async with opened(server.url) as tab:
            await server.painted()
            for frame in islice(frames, WARM):
                server.send(frame)
                await server.painted()
            sent_s = {}
            for done, frame in enumerate(islice(frames, count)):
                report(done + 1, count)
                sent_s[frame.seq] = server.send(frame)
                await asyncio.sleep(PERIOD_S)
            told = await server.painted()
            done_ms = await interactions(tab, TURNS)
    took_ms = [
        1e3 * (painted_s - sent_s[seq])
        for seq, painted_s in told.paints
        if seq in sent_s
    ]
    return Seen(
        frames=count,
        skipped=count - len(took_ms),
        painted_ms=spread(took_ms),
        painted_p95_ms=float(np.percentile(took_ms, 95)),
        interactions_ms={name: spread(each) for name, each in done_ms.items()},
    )


async def update(frames: Iterator[Analysis], count: int, report: Report) -> Update:
    """Frames without a viewer, then as many with one, each when the last is painted."""
    with serving() as server:
        server.send(next(frames))
        before = (await server.shown()).cpu_s
        for frame in islice(frames, count):
            server.send(frame)
            await server.shown()
        alone_s = (await server.shown()).cpu_s - before
        async with Viewer.open(server.url) as viewer:
            await viewer.paint()
            for frame in islice(frames, WARM):
                server.send(frame)
                await seen_by(viewer)
            before = server.ask().cpu_s
            nbytes = []
            for done, frame in enumerate(islice(frames, count)):
                report(done + 1, count)
                server.send(frame)
                nbytes.append(await seen_by(viewer))
            watched_s = server.ask().cpu_s - before
    return Update(
        updates=count,
        kilobytes=spread([each / 1e3 for each in nbytes]),
        server_cpu_ms=1e3 * (watched_s - alone_s) / count,
        frame_cpu_ms=1e3 * alone_s / count,
    )


async def endurance(
    frames: Iterator[Analysis],
    count: int,
    loads: int,
    report: Report,
    forgotten_s: float = FORGOTTEN_S,
) -> Endurance:
    """Memory after very many frames with a viewer, and after very many pages."""
    with serving() as server:
        server.send(next(frames))
        await server.shown()
        async with Viewer.open(server.url) as viewer:
            await viewer.paint()
            half = await watched(server, viewer, islice(frames, count // 2))
            report(1, 3)
            full = await watched(server, viewer, islice(frames, count - count // 2))
            report(2, 3)
        for _ in range(loads):
            async with Viewer.open(server.url):
                pass
        await asyncio.sleep(forgotten_s)
        report(3, 3)
        loads_mb = server.ask().memory_mb
    return Endurance(count, loads, half, full, loads_mb)


async def watched(server: Server, viewer: Viewer, frames: Iterator[Analysis]) -> float:
    """Memory of the server, MB, when the viewer has seen all of `frames`."""
    for frame in frames:
        server.send(frame)
        await seen_by(viewer)
    return server.ask().memory_mb


async def seen_by(viewer: Viewer) -> int:
    """Bytes of the next update, which is painted at once."""
    nbytes = await viewer.update()
    await viewer.paint()
    return nbytes


@asynccontextmanager
async def viewers(url: str, count: int) -> AsyncIterator[None]:
    """So many pages, each painted as soon as it is sent something."""

    async def look(viewer: Viewer) -> None:
        await viewer.paint()
        while True:
            await seen_by(viewer)

    async with AsyncExitStack() as stack:
        pages = [
            await stack.enter_async_context(Viewer.open(url)) for _ in range(count)
        ]
        looking = [asyncio.create_task(look(page)) for page in pages]
        yield
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)
