"""Frames a second and latency of a running server, measured in Chromium; pictures of the layouts.

wdualmine serve RESULT_DIR --sources DIR
python Testing/web/measure_in_browser.py 'http://127.0.0.1:PORT/?token=...' [PICTURES_DIR]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

SECONDS = 5.0
LAYOUTS = {
    "planes": "#over=reliability_fixed&opacity=0.8",
    "side": "#layout=side&over=arbitration",
    "checkerboard": "#layout=checkerboard",
    "curtain": "#layout=curtain",
}
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

# A step each 16 ms, as fast as a screen refreshes; each waits for nothing.
_DRIVE = """([what, seconds]) => new Promise(done => {
  const bench = workbench, from = performance.now(), pane = bench.panes[0];
  const opacity = document.getElementById("opacity");
  bench.latencies.length = 0;
  let step = 0;
  const act = {
    scroll: () => pane.goTo(20 + step % Math.max(pane.plane.count - 40, 1)),
    window: () => pane.shade(step % 20 < 10 ? 3 : -3, 1),
    opacity: () => { opacity.value = step % 100 / 100; opacity.dispatchEvent(new Event("input")); },
  }[what];
  const timer = setInterval(() => {
    step += 1;
    act();
    if (performance.now() - from < 1000 * seconds) return;
    clearInterval(timer);
    done([...bench.latencies]);
  }, 16);
})"""


def settle(page: Page) -> float:
    """Seconds until all panes show without loss what was asked for."""
    started = time.perf_counter()
    while page.locator('.pane[data-settled="true"]').count() < 3:
        if time.perf_counter() - started > 60:
            raise TimeoutError(page.locator("#notice").inner_text())
        page.wait_for_timeout(10)
    return time.perf_counter() - started


def main(url: str, pictures: Path | None) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(f"{url}#over=reliability_fixed")
        print(f"first pictures after {settle(page):.2f} s")
        for what, panes in (("scroll", 1), ("window", 3), ("opacity", 3)):
            took = np.array(page.evaluate(_DRIVE, [what, SECONDS]))
            settle(page)
            rate = len(took) / SECONDS / panes
            median, worst = np.percentile(took, (50, 95))
            print(
                f"{what}, {panes} panes change: {rate:.1f} pictures a second in each, "
                f"{median:.0f} ms (95 %: {worst:.0f} ms)"
            )
        for layout in LAYOUTS:
            page.select_option("#layout", layout)
            print(f"layout {layout}: {1000 * settle(page):.0f} ms until all panes are exact")
        if pictures is not None:
            for width, height in ((1280, 720), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                for layout, place in LAYOUTS.items():
                    page.evaluate("place => { location.hash = place; }", place)
                    page.wait_for_timeout(400)
                    settle(page)
                    name = f"web-{layout}-{width}.png"
                    page.screenshot(path=str(pictures / name), full_page=width < 760)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
