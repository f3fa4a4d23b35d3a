"""``wdualmine register``: a moving volume aligned to a fixed one, and whether to believe it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from ..dicom.identity import require_one_patient
from ..pipeline.report_file import (
    describe_geometry,
    describe_patient,
    describe_program,
    write_report,
)
from ..pipeline.sources import fingerprint
from ..registration.api import register
from ..registration.registration_result import RegistrationResult, Verdict
from ..registration.registration_settings import KINDS, RegistrationSettings
from ..registration.transforms import matrix_of, read_transform, write_transform
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.staging import check_destination, staged_folder
from ..volumes.volume import Volume
from ..volumes.whole_files import writing_errors
from ..volumes.writing import write_volume
from .console import ConsoleProgress, note, warn
from .options import add_different_patients, add_output, add_pair
from .series_option import add_series, read_chosen

OUTPUTS = ("moving_registered.nrrd", "transform.tfm", "overview.png", "report.json")
_LIBRARIES = ("numpy", "SimpleITK", "matplotlib", "pydicom")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``wdualmine register``."""
    add_pair(
        parser,
        fixed="volume that stays where it is",
        moving="volume of the same patient to be brought onto it",
    )
    add_output(parser)
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default="rigid",
        help="rigid (default); affine: sizes may differ; none: judge the volumes as they lie, or "
        "under --initial",
    )
    parser.add_argument(
        "--initial",
        type=Path,
        metavar="FILE",
        help="linear transform from fixed to moving points to start from, instead of a search",
    )
    add_series(parser)
    add_different_patients(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    parser.add_argument("--threads", type=int, metavar="N", help="default: all that may be used")


def run(options: argparse.Namespace) -> None:
    """Align, write everything, or only the report where the alignment failed, and say which."""
    settings = RegistrationSettings(
        kind=options.kind,
        initial_transform=None if options.initial is None else read_transform(options.initial),
        seed=options.seed,
        threads=options.threads,
    )
    check_destination(options.output, OUTPUTS, force=options.force)
    refuse_overwriting(
        (options.output / name for name in OUTPUTS),
        (options.fixed, options.moving, options.initial),
    )
    with ConsoleProgress() as progress:
        fixed = read_chosen(options.fixed, options.fixed_series, "--fixed-series")
        moving = read_chosen(options.moving, options.moving_series, "--moving-series")
        allowed = options.different_patients
        patients = require_one_patient(fixed.context, moving.context, allowed=allowed)
        result = register(fixed, moving, settings, progress.part(0.05, 0.9))
    failed = result.verdict is Verdict.FAILED
    outputs = OUTPUTS[-1:] if failed else OUTPUTS
    report = describe_program(_LIBRARIES) | {
        "fixed": _describe(options.fixed, fixed),
        "moving": _describe(options.moving, moving),
        "initial": options.initial,
        "outputs": outputs,
        "notes": list(dict.fromkeys([*patients, *fixed.notes, *moving.notes])),
    }
    with staged_folder(options.output, force=options.force) as folder:
        if not failed:
            _write(folder, fixed, moving, result)
        with writing_errors(options.output):
            write_report(folder / "report.json", report | describe_result(result))
    if failed:
        _remove_earlier(options.output)
    result.require_usable()
    _say(options.output, fixed, moving, result, report["notes"])


def describe_result(result: RegistrationResult) -> dict[str, Any]:
    """What a report says of a registration."""
    return {
        "kind": result.settings.kind,
        "seed": result.settings.seed,
        "verdict": result.verdict.value,
        "reasons": result.reasons,
        "overlap": result.overlap,
        "mi_before_bits": result.mi_before,
        "mi_after_bits": result.mi_after,
        "measures": result.measures,
        "fixed_to_moving_lps_mm": matrix_of(result.transform).tolist(),
        "seconds": result.seconds,
    }


def _describe(path: Path, volume: Volume) -> dict[str, Any]:
    return {
        "path": path,
        "sha256": fingerprint(path),
        "name": volume.name,
        "modality": volume.modality,
        "geometry": describe_geometry(volume.geometry),
        "patient": describe_patient(None if volume.context is None else volume.context.patient),
    }


def _write(folder: Path, fixed: Volume, moving: Volume, result: RegistrationResult) -> None:
    # Here and not above: matplotlib takes a second to import, and bad input is answered without.
    from .pictures.registration_overview import write_overview

    write_volume(result.resampled, folder / "moving_registered.nrrd")
    write_transform(result.transform, folder / "transform.tfm")
    write_overview(folder / "overview.png", fixed, moving, result)


def _remove_earlier(output: Path) -> None:
    """What an earlier run left, which ``--force`` gives up: it does not belong to this report."""
    for name in OUTPUTS[:-1]:
        with writing_errors(output / name):
            (output / name).unlink(missing_ok=True)


def _say(
    output: Path, fixed: Volume, moving: Volume, result: RegistrationResult, notes: list[str]
) -> None:
    matrix = matrix_of(result.transform)
    moved = result.measures["shift_mm"], result.measures["turn_degrees"]
    print(f"Registered {moving.name} to {fixed.name} into {output}:")
    print(f"  {', '.join(OUTPUTS)}")
    print(
        f"  moved by {moved[0]:.1f} mm and {moved[1]:.1f} degrees"
        + ("" if result.settings.kind != "affine" else f", scaled by {_scale(matrix):.3f}")
        + f"; mutual information {result.mi_before:.3f} to {result.mi_after:.3f} bits; "
        f"overlap {result.overlap:.0%}; {sum(result.seconds.values()):.1f} s"
    )
    print(f"Look at {output / 'overview.png'}, before and after.")
    for text in notes:
        note(text)
    if result.verdict is Verdict.DOUBTFUL:
        warn(f"The alignment is doubtful, check it before use: {_joined(result.reasons)}")
    else:
        print(f"The alignment is good: {_joined(result.reasons)}")


def _scale(matrix: np.ndarray) -> float:
    return float(np.cbrt(np.linalg.det(matrix[:3, :3])))


def _joined(reasons: list[str]) -> str:
    return "; ".join(reasons)
