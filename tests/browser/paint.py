"""How long people wait for the list of sessions and for a long replay, on a store that `benchmarks.trail` has filled.

python -m benchmarks.trail --frames 1000000 --keep FOLDER --only nothing
python -m tests.browser --paint FOLDER
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from playwright.async_api import Browser, Page

from benchmarks.processes import Child, free_port
from sluicegate.embedded.datadir import DataDir
from tests.browser.chromium import chromium, person

READY_SECONDS, TRIES, WARM_TRIES = 600.0, 7, 2
PAINT_MS_MAX = 1_000.0
_PAINTED = """
() => new Promise((told) => {
  const seen = { useful: 0, largest: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.largest = entry.startTime;
    seen.useful = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
    if (seen.useful) told(seen);
  }).observe({ type: "largest-contentful-paint", buffered: true });
})
"""


async def paint(folder: Path, say: Callable[[str], None]) -> int:
    """Measures; gives how many pages took too long. The folder is the data directory of a store."""
    noted = json.loads(await asyncio.to_thread((folder / "stored.json").read_text))
    session = noted["stored"]["long_sessions"][0]
    config = await asyncio.to_thread(_config, folder)
    log = folder / "up.log"
    command = [sys.executable, "-m", "sluicegate", "up", "--config", str(config)]
    with Child("sluicegate up", command, log, cwd=folder) as child:
        link = await asyncio.to_thread(child.wait_for, r"(http://\S+)/login#(\S+)", READY_SECONDS)
        async with chromium() as browser:
            frames = noted["stored"]["frames"]
            say(
                f"{frames:,} frames stored; ms from the click to what can be read, median and worst of {TRIES}"
            )
            pages = {"the list of sessions": "/sessions", "a replay": f"/sessions/{session}"}
            return await _measured(browser, link[1], link[2], pages, say)


async def _measured(
    browser: Browser, console: str, token: str, pages: dict[str, str], say: Callable[[str], None]
) -> int:
    slow = 0
    async with person(browser, console, "the user") as user:
        await user.goes(f"/login#{token}")
        await user.page.wait_for_url(f"{console}/overview")
        for name, path in pages.items():
            found = [await _once(user.page, console + path) for _ in range(TRIES + WARM_TRIES)][WARM_TRIES:]
            useful = [each["useful"] for each in found]
            largest = statistics.median(each["largest"] for each in found)
            median = statistics.median(useful)
            rows = await user.page.locator("#list tbody tr, li[data-exchange]").count()
            shown = f"{median:.0f} (worst {max(useful):.0f}), largest part {largest:.0f}, {rows} rows"
            say(f"{'FAILED' if median > PAINT_MS_MAX or not rows else 'ok    '} {name}: {shown}")
            slow += median > PAINT_MS_MAX or not rows
    return slow


async def _once(page: Page, url: str) -> dict[str, Any]:
    await page.goto("about:blank")
    answer = await page.goto(url, wait_until="load")
    assert answer is not None
    assert answer.status == 200, await page.locator("main").inner_text()
    found: dict[str, Any] = await page.evaluate(_PAINTED)
    return found


def _config(folder: Path) -> Path:
    """Of a stack at a terminal, in a data directory of its own that has the folder's store."""
    home = folder / "paint"
    with DataDir.open(home):
        store = home / "clickhouse"
        if not store.is_symlink():
            store.rmdir()  # a new one is empty
            store.symlink_to(folder / "clickhouse")
    settings = {
        "data_dir": str(home),
        **{name: {"listen": f"127.0.0.1:{free_port()}"} for name in ("gateway", "console", "approvals")},
        "identity": {"mode": "none"},
        "connections": [{"name": "tickets", "upstream": "http://127.0.0.1:1/mcp"}],
    }
    file = folder / "paint.yaml"
    file.write_text(yaml.safe_dump(settings))
    return file
