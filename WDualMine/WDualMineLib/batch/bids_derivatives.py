"""Results of a BIDS dataset as a derivatives dataset, which the official validator accepts.

The fused volume keeps the suffix of the fixed image, on whose grid it lies; maps are probabilities
and shares from 0 to 1, for which BIDS has ``probseg``. What BIDS has no name for (the fused volume
in colour, transforms, pictures, DICOM) stays in the folder of the study.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import OutputError
from ..pipeline.parts import FUSED, PARTS, Part
from ..version import __version__
from ..volumes.reading import read_volume
from ..volumes.whole_files import writing_errors
from ..volumes.writing import write_volume
from .places import write_whole
from .study import Bids, Study

BIDS_VERSION = "1.10.0"
DESCRIPTION = "dataset_description.json"
_PROGRAM = "WDualMine"
_SPACE = "individual"
# Labels and descriptions may hold letters and digits only.
_LABELS = {
    "reliability_fixed": "soundfixed",
    "reliability_moving": "soundmoving",
    "arbitration": "spatialexpert",
    "share": "sharefixed",
}
_IGNORED = (
    "studies", "*.html", "summary.csv", "summary.json", "ro-crate-metadata.json",
    ".batch/",
)  # fmt: skip
_README = """\
# Fused volumes

Each subject's fixed image fused with another one, and maps of where either is suspected of a fault,
on the grid of the fixed image. Written by `wdualmine batch`. Not for diagnosis.

`studies/` holds each result as `wdualmine fuse` writes it; `report.html` shows all of them.
"""


def require_own_dataset(root: Path) -> None:
    """Refuse to write derivatives into a dataset that is none of ours.

    Raises:
        OutputError: ``root`` describes itself as another dataset.
    """
    path = root / DESCRIPTION
    if not path.exists():
        return
    made_by = _read_json(path).get("GeneratedBy") or []
    if not any(isinstance(each, dict) and each.get("Name") == _PROGRAM for each in made_by):
        raise OutputError(
            f"{root} is another dataset: its {DESCRIPTION} does not name {_PROGRAM}",
            "Choose a folder of its own, such as derivatives/wdualmine",
        )


def describe_dataset(root: Path, source: Path) -> None:
    """Write what stands at the top of the derivatives of the dataset ``source``.

    Raises:
        OSError: no room or permission.
    """
    link = source_link(root, source)
    of_source = _read_json(source / DESCRIPTION)
    told: dict[str, Any] = {
        "Name": f"Fused volumes of {source.resolve().name}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": _PROGRAM, "Version": __version__}],
        "SourceDatasets": [{"URL": link}],
        "DatasetLinks": {"raw": link},
    }
    told |= {key: of_source[key] for key in ("Authors", "License") if key in of_source}
    write_whole(root / DESCRIPTION, json.dumps(told, indent=2) + "\n")
    write_whole(root / ".bidsignore", "\n".join(_IGNORED) + "\n")
    if not (root / "README.md").exists():
        write_whole(root / "README.md", _README)


def source_link(root: Path, source: Path) -> str:
    """Where the source dataset lies: relative where the derivatives are inside of it."""
    source, root = source.resolve(), root.resolve()
    return os.path.relpath(source, root) if root.is_relative_to(source) else source.as_uri()


def write_derivatives(
    study: Study, folder: Path, report: Mapping[str, Any], root: Path
) -> dict[str, Path]:
    """Write the volumes of a result as NIfTI with sidecars into the dataset at ``root``.

    Args:
        folder: where the result lies now.
        report: its ``report.json``.

    Returns:
        The files: path from the folder in which the study will stand, to where each lies.

    Raises:
        OutputError: no room, or a grid that NIfTI cannot hold.
    """
    bids = study.bids
    if bids is None:
        return {}
    written: dict[str, Path] = {}
    for part in PARTS:
        source = folder / part.file
        if not source.is_file() or part.name not in (FUSED.name, *_LABELS):
            continue
        image = root / derivative_name(bids, part)
        sidecar = image.with_name(image.name.replace(".nii.gz", ".json"))
        volume = read_volume(source)
        text = json.dumps(_sidecar(study, bids, part, report), indent=2, ensure_ascii=False)
        with writing_errors(image):
            image.parent.mkdir(parents=True, exist_ok=True)
            write_volume(volume, image, force=True)
        with writing_errors(sidecar):
            write_whole(sidecar, text + "\n")
        for path in (image, sidecar):
            written[os.path.relpath(path, study.options.output)] = path
    return written


def derivative_name(bids: Bids, part: Part) -> Path:
    """Path of a part's NIfTI in the derivatives dataset."""
    entities = dict(bids.entities)
    place = Path(*(f"{key}-{entities[key]}" for key in ("sub", "ses") if key in entities))
    words = [f"{key}-{label}" for key, label in bids.entities]
    words.append(f"space-{_SPACE}")
    if part == FUSED:
        words += [f"desc-fused{bids.tag}", bids.suffix]
    else:
        words += [f"label-{_LABELS[part.name]}", f"desc-{bids.tag}", "probseg"]
    return place / bids.datatype / ("_".join(words) + ".nii.gz")


def _sidecar(study: Study, bids: Bids, part: Part, report: Mapping[str, Any]) -> dict[str, Any]:
    paths = [study.inputs[role] for role in ("fixed", "moving")]
    uris = [f"bids:raw:{path.relative_to(bids.root).as_posix()}" for path in paths]
    low, high = part.scale
    meaning = f"{part.heading}: {low:g} {part.ends[0]}, {high:g} {part.ends[1]}"
    told: dict[str, Any] = {
        "Description": meaning if any(part.ends) else f"{part.heading}: {low:g} to {high:g}",
        "Sources": uris,
        "SpatialReference": uris[0],
        "GeneratedBy": [{"Name": _PROGRAM, "Version": __version__}],
        "WDualMine": {
            "Options": report["settings"],
            "Registration": report["registration"],
            "Windows": {role: report[role]["window"] for role in ("fixed", "moving")},
            "Weights": report["weights"],
            "Libraries": report["libraries"],
            "Recipe": study.recipe,
        },
    }
    if part == FUSED:
        told["SkullStripped"] = _is_skull_stripped(paths[0])
    return json.loads(json.dumps(told, default=str))


def _is_skull_stripped(image: Path) -> bool:
    """As the image's own sidecar says, and no where it does not say."""
    sidecar = image.with_name(image.name.partition(".nii")[0] + ".json")
    return bool(_read_json(sidecar).get("SkullStripped", False))


def _read_json(path: Path) -> dict[str, Any]:
    """What a JSON file tells; {} where there is none that can be read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
