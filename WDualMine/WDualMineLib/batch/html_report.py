"""``report.html`` of a batch, and the page of a study: without a network, and safe to look at.

Names and words come from users' files: whatever goes into a page is escaped.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..resources import resource_path
from ..version import __version__
from .figures import DOUBTED
from .places import write_whole
from .study import FAILED, FAILED_BEFORE, STATES, Study
from .summary import Summary

REPORT, PAGE, THUMBNAIL, OVERVIEW = "report.html", "page.html", "thumbnail.jpg", "overview.png"

# Above this many studies pictures are linked: a page of hundreds of megabytes opens nowhere.
_MOST_EMBEDDED = 5000
_FIGURES = {
    "cc_over_bound": ("CC / bound", ".4f"),
    "flagged_ml": ("flagged ml", ".2f"),
    "flicker": ("flicker", ".3f"),
    "mi": ("MI", ".2f"),
    "ssim": ("SSIM", ".3f"),
    "qabf": ("Qabf", ".3f"),
    "seconds": ("seconds", ".1f"),
}


def write_report(summary: Summary, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write ``report.html``. Raises OSError if there is no room; the old one stays then."""
    embedded = len(rows) <= _MOST_EMBEDDED
    body = "\n".join(_row(row, summary.places.root, embedded) for row in rows)
    counts = "".join(
        f'<li class="{_class(state)}"><b>{n}</b> {escape(_STATE_WORDS[state])}</li>'
        for state, n in summary.counts.items()
        if n
    )
    written = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    text = (
        _template()
        .replace("@COUNTS@", counts)
        .replace("@STATES@", "".join(f"<option>{escape(state)}</option>" for state in STATES))
        .replace("@HEADINGS@", "".join(f'<th class="n">{h}</th>' for h, _ in _FIGURES.values()))
        .replace("@WHEN@", f"{'Ended' if summary.ended else 'Running; as of'} {written}")
        .replace("@RUNNING@", "" if summary.ended else "running")
        .replace("@ABOUT@", escape(_about(summary.about)))
        .replace("@DOUBTED@", f"{1 - DOUBTED:g}")
        .replace("@VERSION@", escape(__version__))
        .replace("@ROWS@", body)
    )
    write_whole(summary.places.root / REPORT, text)


def write_page(study: Study, folder: Path, report: Mapping[str, Any], figures: Mapping) -> None:
    """Write the page of a study beside its overview. Raises OSError if there is no room."""
    told = {
        # As the report calls them: of an anonymised result no file name may be told.
        "Fixed": report["fixed"]["name"],
        "Moving": report["moving"]["name"],
        "Alignment": _alignment(report["registration"]),
        "Windows": " and ".join(_window(report[role]["window"]) for role in ("fixed", "moving")),
        "Device": figures.get("device", ""),
        "Weights (SHA-256)": report["weights"]["sha256"],
        "Seconds by stage": ", ".join(f"{k} {v:.2f}" for k, v in report["seconds"].items()),
    }
    lines = [f"<tr><th>{k}</th><td>{escape(str(v))}</td></tr>" for k, v in told.items()]
    for name, (heading, form) in _FIGURES.items():
        if figures.get(name) is not None:
            lines.append(f"<tr><th>{heading}</th><td>{figures[name]:{form}}</td></tr>")
    notes = "".join(f"<li>{escape(str(note))}</li>" for note in report["notes"])
    files = "".join(
        f'<li><a href="{quote(str(name))}">{escape(str(name))}</a></li>'
        for name in report["outputs"]
    )
    options = json.dumps(report["settings"], indent=1, default=str)
    write_whole(
        folder / PAGE,
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(study.name)}</title>
<meta name="viewport" content="width=device-width">
<style>
body {{ font: 15px/1.45 system-ui, sans-serif; margin: 1.5em auto; max-width: 75em; padding: 0 1em;
  color: #1d2327; background: #fff }}
img {{ max-width: 100%; background: #fff }}
th {{ text-align: left; padding-right: 1.2em; vertical-align: top; font-weight: 600 }}
td {{ overflow-wrap: anywhere }}
</style></head><body>
<p><a href="../../{REPORT}">All studies</a></p>
<h1>{escape(study.name)}</h1>
<p>Sources, fused volume and maps in three planes. Not for diagnosis.</p>
<p><a href="{OVERVIEW}"><img src="{OVERVIEW}" alt="Sources, fused volume and maps"></a></p>
<table>{"".join(lines)}</table>
<h2>Notes</h2><ul>{notes or "<li>None.</li>"}</ul>
<h2>Files</h2><ul>{files}</ul>
<details><summary>Options</summary><pre>{escape(options)}</pre></details>
<p>WDualMine {escape(__version__)}</p>
</body></html>
""",
    )


_STATE_WORDS = {
    "done": "done",
    "kept": "done before",
    FAILED: "failed",
    FAILED_BEFORE: "failed before, not tried again",
    "waiting": "not come to",
}


def _row(row: Mapping[str, Any], root: Path, embedded: bool) -> str:
    out = row["stands_out_in"]
    classes = [_class(row["state"]), *(["outlier"] if out else [])]
    figures = []
    for name, (_, form) in _FIGURES.items():
        value = row[name]
        shown, order = ("", "") if value is None else (f"{value:{form}}", f"{value:.9g}")
        mark = ' class="n out" title="stands out"' if name in out else ' class="n"'
        figures.append(f'<td{mark} data-v="{order}">{shown}</td>')
    folder, name = row["folder"], escape(row["study"])
    picture = title = ""
    if folder:
        at = quote(folder)
        picture = f'<a href="{at}/{PAGE}">{_picture(root / folder, at, embedded)}</a>'
        title = f'<a href="{at}/{PAGE}">{name}</a> <a class="folder" href="{at}/">folder</a>'
    floor = {True: "kept", False: "not kept", None: ""}[row["floor_met"]]
    return (
        f'<tr class="{" ".join(classes)}"><td>{picture}</td><td>{title or name}'
        f'<div class="place">{escape(row["place"])}</div></td><td>{escape(row["state"])}</td>'
        f"<td>{escape(str(row['verdict'] or ''))}</td><td>{floor}</td>{''.join(figures)}"
        f'<td class="words">{escape(row["words"])}</td></tr>'
    )


def _picture(folder: Path, link: str, embedded: bool) -> str:
    source = _embedded(folder / THUMBNAIL) if embedded else f"{link}/{THUMBNAIL}"
    return f'<img loading="lazy" src="{source}" alt="fused volume in three planes">'


@lru_cache(maxsize=_MOST_EMBEDDED)
def _embedded(path: Path) -> str:
    try:
        return f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
    except OSError:
        return ""


@lru_cache(maxsize=1)
def _template() -> str:
    return resource_path("Batch/report.html").read_text(encoding="utf-8")


def _class(state: str) -> str:
    return state.replace(" ", "-")


def _about(about: Mapping[str, Any]) -> str:
    return "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in about.items())


def _alignment(told: Mapping[str, Any]) -> str:
    if not told.get("verdict"):
        return str(told.get("kind", "none"))
    reasons = "; ".join(map(str, told.get("reasons", ())))
    return f"{told['kind']}: {told['verdict']}" + (f" ({reasons})" if reasons else "")


def _window(window: Mapping[str, Any]) -> str:
    return f"{window['name']} {window['low']:.4g} to {window['high']:.4g} {window['units']}".strip()
