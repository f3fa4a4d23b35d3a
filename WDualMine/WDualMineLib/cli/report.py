"""``wdualmine report``: the page of a case, as PDF or PNG, from a result folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..casereport.case_file import kind_of, write_case
from ..casereport.found_sources import with_sources
from ..pipeline.anonymous import anonymous
from ..pipeline.folder import REPORT, TRANSFORM, load
from ..pipeline.parts import PARTS
from ..volumes.kept_inputs import refuse_overwriting
from ..volumes.reading import require_readable
from .console import note


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("result", type=Path, metavar="RESULT_DIR", help="what `fuse` wrote")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="case.pdf or case.png"
    )
    for role in ("fixed", "moving"):
        parser.add_argument(
            f"--{role}",
            type=Path,
            metavar="VOLUME",
            help=f"the {role} volume [where it was fused from]",
        )
    parser.add_argument(
        "--anonymise",
        action="store_true",
        help="neither patient, names nor paths on the page",
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def run(options: argparse.Namespace) -> None:
    kind_of(options.output)
    given = options.fixed, options.moving
    for path in given:
        if path is not None:
            require_readable(path)
    # An earlier page in the folder may be replaced, what the page is made of may not.
    kept = [options.result / name for name in (*(part.file for part in PARTS), TRANSFORM, REPORT)]
    refuse_overwriting([options.output], (*kept, *given))
    result = load(options.result)
    result, notes = with_sources(result, *given)
    for text in notes:
        note(text)
    if options.anonymise:
        # Why a source is not shown may name its file.
        result, notes = anonymous(result, ()), []
    write_case(result, options.output, notes, force=options.force)
    print(options.output)
