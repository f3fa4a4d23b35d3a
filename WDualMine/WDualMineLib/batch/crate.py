"""The run as an RO-Crate: which inputs became which results, by what, when, and what failed.

``ro-crate-metadata.json`` after RO-Crate 1.1 and the profile Process Run Crate 0.5: an action for
each study, with W3C PROV's notions in schema.org's words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..version import __version__
from .places import write_whole
from .study import WAITING
from .summary import Summary

NAME = "ro-crate-metadata.json"
_PROGRAM = {"@id": "#wdualmine"}
_STATES = {True: "http://schema.org/CompletedActionStatus",
           False: "http://schema.org/FailedActionStatus"}  # fmt: skip


def write_crate(summary: Summary) -> None:
    """Write the crate of a run. Raises OSError if there is no room."""
    told = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": list(_graph(summary))}
    write_whole(summary.places.root / NAME, json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def _graph(summary: Summary) -> Iterator[dict[str, Any]]:
    done = [s for s in summary.studies if summary.outcomes[s.name].is_done]
    tried = [s for s in summary.studies if summary.outcomes[s.name].state != WAITING]
    moment = (summary.ended or summary.started).isoformat(timespec="seconds")
    profile = "https://w3id.org/ro/wfrun/process/0.5"
    yield {
        "@id": NAME,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": [{"@id": "https://w3id.org/ro/crate/1.1"}, {"@id": profile}],
    }
    yield {
        "@id": profile,
        "@type": "CreativeWork",
        "name": "Process Run Crate",
        "version": "0.5",
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": "Fused volumes",
        "description": f"{len(done)} of {len(summary.studies)} studies fused by wdualmine batch. "
        "Not for diagnosis.",
        "datePublished": moment,
        "license": "As that of the source volumes",
        "conformsTo": {"@id": profile},
        "hasPart": [
            *({"@id": name} for name in ("report.html", "summary.csv", "summary.json")),
            *({"@id": f"studies/{study.name}/"} for study in done),
        ],
        "mentions": [{"@id": f"#{study.name}"} for study in tried],
    }
    for name, kind in (("html", "text/html"), ("csv", "text/csv"), ("json", "application/json")):
        file = "report.html" if name == "html" else f"summary.{name}"
        yield {"@id": file, "@type": "File", "name": file, "encodingFormat": kind}
    yield {
        **_PROGRAM,
        "@type": "SoftwareApplication",
        "name": "WDualMine",
        "softwareVersion": __version__,
        "url": "https://arxiv.org/abs/2601.08920",
    }
    seen: set[str] = set()
    for study in tried:
        outcome = summary.outcomes[study.name]
        inputs = {} if study.is_anonymous else study.inputs
        uris = {role: path.as_uri() for role, path in inputs.items()}
        action: dict[str, Any] = {
            "@id": f"#{study.name}",
            "@type": "CreateAction",
            "name": f"Fusion of {study.place}",
            "instrument": _PROGRAM,
            "object": [{"@id": uri} for uri in uris.values()],
            "actionStatus": {"@id": _STATES[outcome.is_done]},
            "description": f"recipe sha256:{study.recipe}",
        }
        if outcome.is_done:
            action["result"] = {"@id": f"studies/{study.name}/"}
        else:
            action["error"] = outcome.words
        yield action
        for role, uri in uris.items():
            if uri not in seen:
                seen.add(uri)
                kind = "Dataset" if study.inputs[role].is_dir() else "File"
                yield {"@id": uri, "@type": kind, "name": study.inputs[role].name}
    for study in done:
        yield {"@id": f"studies/{study.name}/", "@type": "Dataset", "name": study.name}
