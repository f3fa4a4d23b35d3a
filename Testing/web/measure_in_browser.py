"""Frames a second and latency of a running server, measured in Chromium; pictures of the layouts.

wdualmine serve RESULT_DIR --sources DIR [--prior DIR]
python Testing/web/measure_in_browser.py 'http://127.0.0.1:PORT/?token=...' [PICTURES_DIR]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

SECONDS = 5.0
LAYOUTS = {
    "planes": "#over=reliability_fixed&opacity=0.8",
    "four": "#layout=four&turned=30,20",
    "side": "#layout=side&over=arbitration",
    "checkerboard": "#layout=checkerboard",
    "curtain": "#layout=curtain",
    "prior": "#layout=prior&region=circle,axial,0,-20,22,15,15",
}
MEASURED = (  # layout, what is done, panes that change
    ("planes", "scroll", 1),
    ("planes", "window", 3),
    ("planes&over=arbitration", "opacity", 3),
    ("planes", "slab", 3),
    ("side&over=arbitration", "scroll", 3),
    ("side&over=arbitration", "opacity", 1),
    ("checkerboard", "scroll", 1),
    ("checkerboard", "squares", 3),
    ("curtain", "split", 3),
    ("prior", "scroll", 2),
    ("four", "turn", 1),
    ("four", "level", 1),
)
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]

# A step each 16 ms, as fast as a screen refreshes; each waits for nothing.
_DRIVE = """([what, seconds]) => new Promise(done => {
  const bench = workbench, from = performance.now(), [pane] = bench.panes;
  const ranges = { opacity: [0, 1], slab: [5, 30], squares: [2, 20], split: [0.2, 0.8],
    level: [0.1, 0.6] };
  bench.latencies.length = 0;
  let step = 0;
  const slide = () => {
    const [low, high] = ranges[what], slider = document.getElementById(what);
    slider.value = low + (high - low) * (step % 60) / 60;
    slider.dispatchEvent(new Event("input"));
  };
  const act = {
    scroll: () => pane.goTo(20 + step % Math.max(pane.plane.count - 40, 1)),
    window: () => pane.shade(step % 20 < 10 ? 3 : -3, 1),
    turn: () => bench.panes.at(-1).turn(2, 0),
  }[what] ?? slide;
  const timer = setInterval(() => {
    step += 1;
    act();
    if (performance.now() - from < 1000 * seconds) return;
    clearInterval(timer);
    done([[...bench.latencies], bench.haste.factor]);
  }, 16);
})"""


def settle(page: Page) -> float:
    """Seconds until all panes show without loss what was asked for."""
    started = time.perf_counter()
    while not page.evaluate(
        """() => globalThis.workbench?.panes.length > 0
        && workbench.panes.every(each => each.element.dataset.settled === "true")"""
    ):
        if time.perf_counter() - started > 60:
            raise TimeoutError(page.locator("#notice").inner_text())
        page.wait_for_timeout(10)
    return time.perf_counter() - started


def go(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = place; }", place)
    page.wait_for_timeout(400)
    settle(page)


def measure(page: Page) -> None:
    for layout, what, panes in MEASURED:
        if page.locator(f'#layout option[value="{layout.split("&")[0]}"]').is_disabled():
            print(f"{layout}: not in this study")
            continue
        go(page, f"#layout={layout}")
        took, sharp = page.evaluate(_DRIVE, [what, SECONDS])
        settle(page)
        median, worst = np.percentile(took, (50, 95))
        print(
            f"{layout}, {what}, {panes} panes change: {len(took) / SECONDS / panes:.1f} pictures a "
            f"second in each, {median:.0f} ms (95 %: {worst:.0f} ms), {sharp:.2f} of the pixels of "
            f"a side; load {os.getloadavg()[0]:.1f}",
            flush=True,
        )


def main(url: str, pictures: Path | None) -> None:
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        begun = time.perf_counter()
        page.goto(f"{url}#over=reliability_fixed")
        settle(page)
        print(f"first pictures after {time.perf_counter() - begun:.2f} s")
        measure(page)
        for layout, place in LAYOUTS.items():
            if page.locator(f'#layout option[value="{layout}"]').is_disabled():
                continue
            page.select_option("#layout", layout)
            print(f"layout {layout}: {1000 * settle(page):.0f} ms until all panes are exact")
            if pictures is None:
                continue
            for width, height in ((1280, 720), (390, 844)):
                page.set_viewport_size({"width": width, "height": height})
                go(page, place)
                name = f"web-{layout}-{width}.png"
                page.screenshot(path=str(pictures / name), full_page=width < 760)
            page.set_viewport_size({"width": 1280, "height": 720})
            settle(page)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
