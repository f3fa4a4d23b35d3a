"""The whole batch checked before anything starts: paths, options, identities, names, room."""

from __future__ import annotations

import argparse
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..dicom.identity import require_one_patient
from ..errors import InputError, OutputError, WDualMineError
from ..volumes.paths import printable, require_readable, require_unicode
from ..volumes.reading import is_dicom
from .fingerprints import recipe_of
from .places import Places
from .study import FAILED_BEFORE, KEPT, WAITING, WITHOUT_FILE, Outcome, Row, Study
from .whole_results import MARKER, is_of, is_whole, read_marker

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*")
_LONGEST_NAME = 120
_SUBJECT = re.compile(r"(?:^|[/_])sub-([A-Za-z0-9]+)(?=[/_.]|$)")
# A fused volume and maps, compressed, in bytes for each byte of the fixed file: measured from 2 to
# 4 on packed NIfTI; a little less, so that nobody is refused who has room.
_RESULT_PER_INPUT = 2.0


@dataclass
class Plan:
    """What would run.

    Attributes:
        studies: in the order of the source.
        outcomes: name of a study to how it stands before the run.
    """

    studies: list[Study] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def in_state(self, *states: str) -> list[Study]:
        """The studies that stand so."""
        return [study for study in self.studies if self.outcomes[study.name].state in states]


@dataclass(frozen=True)
class Rules:
    """What holds for all studies of a batch.

    Attributes:
        root: folder that relative paths start from, and that none may leave.
        options_of: the options of ``wdualmine fuse`` for a row, without paths; raises InputError
            on what cannot be.
        timeout: seconds a study may take; None for any.
        force: whether a folder of another origin may be replaced.
        verify: whether results are read whole before they count as done.
        memory: bytes a worker may take, as the user gave them; None without.
        retry: whether studies that failed are tried again.
        extra: what else decides on a result, for its hash.
    """

    root: Path
    options_of: Callable[[Row], argparse.Namespace]
    timeout: float | None = None
    force: bool = False
    verify: bool = False
    memory: int | None = None
    retry: bool = False
    extra: Mapping[str, str] = field(default_factory=dict)


def plan_studies(
    rows: Sequence[Row],
    places: Places,
    rules: Rules,
    progress: Callable[[float, str], None] = lambda *_: None,
) -> tuple[Plan, list[str]]:
    """Check every row, and look which are done.

    Returns:
        The plan, and what is wrong: a sentence for each row that cannot run.
    """
    plan, wrong = Plan(), []
    taken: dict[str, str] = {}
    checks = _Checks(places, rules)
    for number, row in enumerate(rows):
        progress(number / len(rows), f"Checking {row.place}")
        try:
            study = checks.study_of(row, number)
            same = taken.setdefault(study.name.lower(), row.place)
            if same != row.place:
                raise InputError(
                    f"the name {study.name} is that of {same}, too",
                    "Give each study a name of its own, also where capitals count for nothing",
                )
            plan.outcomes[study.name] = _standing(study, places, rules)
            plan.studies.append(study)
        except WDualMineError as error:
            wrong.append(f"{row.place}: {error.what}. {error.remedy}.")
        except OSError as error:
            wrong.append(f"{row.place}: {printable(error.filename or '')}: {error.strerror}.")
    wrong += checks.too_little_room(plan)
    return plan, wrong


def _standing(study: Study, places: Places, rules: Rules) -> Outcome:
    """How a study stands before the run."""
    folder = study.options.output
    if read_marker(folder) is None:
        if folder.is_dir() and any(folder.iterdir()) and not rules.force:
            raise OutputError(
                f"{folder} holds files that no batch wrote",
                f"Choose another name or output folder; --force replaces it (no {MARKER} in it)",
            )
    elif (result := result_of(study, KEPT, verify=rules.verify)) is not None:
        return result
    failure = places.read_failure(study.name)
    if failure is not None and not rules.retry and _is_of_now(failure, study, rules):
        words = failure.get("kind", ""), failure.get("words", "")
        return Outcome(FAILED_BEFORE, *words, attempts=failure.get("attempts", 0))
    return Outcome(WAITING)


def result_of(study: Study, state: str, *, verify: bool) -> Outcome | None:
    """The whole result of a study that stands on the disk, as an outcome; None without.

    Args:
        state: of the outcome.
        verify: whether it is read whole.
    """
    folder = study.options.output
    marker = read_marker(folder)
    if marker is None or not is_of(marker, study.recipe, study.inputs):
        return None
    if not is_whole(folder, marker, verify=verify):
        return None
    return Outcome(
        state,
        figures=marker.get("figures", {}),
        seconds=marker.get("seconds", 0.0),
        worker=marker.get("worker", ""),
        notes=tuple(marker.get("notes", ())),
    )


def _is_of_now(failure: Mapping[str, object], study: Study, rules: Rules) -> bool:
    """Whether nothing was mended since: inputs, recipe and limits are those that failed."""
    limits = failure.get("limits") == [study.timeout, rules.memory]
    return limits and is_of(failure, study.recipe, study.inputs)


class _Checks:
    """What is looked up once for all rows."""

    def __init__(self, places: Places, rules: Rules) -> None:
        self._places, self._rules = places, rules
        self._root = rules.root.resolve()
        self._results = places.studies.resolve()
        self._weights: set[Path] = set()
        self._recipes: dict[str, str] = {}

    def study_of(self, row: Row, number: int) -> Study:
        """``row`` as a study.

        Raises:
            WDualMineError: it cannot run.
        """
        name = _require_name(row.name or f"study-{number + 1:05d}")
        options = self._rules.options_of(row)
        options.output = self._places.studies / name
        options.force = False
        options.fixed, options.moving = (
            self._input(text, role) for role, text in (("fixed", row.fixed), ("moving", row.moving))
        )
        self._require_pair(options)
        if options.registration not in WITHOUT_FILE:
            options.registration = str(self._transform(options.registration))
        if options.weights is not None:
            self._require_weights(options.weights)
        timeout = _seconds(row.timeout) if row.timeout else self._rules.timeout
        notes = (f"Look at it first: {row.doubt}",) if row.doubt else ()
        return Study(row.place, name, options, self._recipe(options), timeout, row.bids, notes)

    def too_little_room(self, plan: Plan) -> list[str]:
        """A sentence for the row at which the disk is full, if it is foreseen."""
        free = shutil.disk_usage(_nearest(self._places.studies)).free
        for study in plan.in_state(WAITING):
            fixed = study.options.fixed
            if not fixed.is_file():
                continue
            free -= int(_RESULT_PER_INPUT * fixed.stat().st_size)
            if free < 0:
                return [
                    f"{study.place}: there will be no room on the disk of {self._places.root} for "
                    "this study and those behind it. Free some space, choose another folder, or "
                    "run the rows before it."
                ]
        return []

    def _recipe(self, options: argparse.Namespace) -> str:
        # Most rows have the same options.
        apart = argparse.Namespace(**vars(options))
        apart.fixed = apart.moving = apart.output = None
        key = repr(apart)
        if key not in self._recipes:
            self._recipes[key] = recipe_of(options, self._rules.extra)
        return self._recipes[key]

    def _input(self, text: str, role: str) -> Path:
        if not text:
            raise InputError(f"no {role} volume is given", "Write its path into the list")
        require_unicode(text)
        path = self._within(text)
        require_readable(path)
        if path.is_dir() and not any(path.iterdir()):
            raise InputError(f"{path} is empty", "Give the folder of a DICOM series")
        return path

    def _within(self, text: str) -> Path:
        path = self._rules.root / text
        real = path.resolve()
        # What a link inside the tree leads to was put there by whoever made the tree.
        lexical = Path(os.path.normpath(path))
        if not (lexical.is_relative_to(self._rules.root) or real.is_relative_to(self._root)):
            raise InputError(
                f"{text} is outside of {self._rules.root}",
                "Keep the studies below one folder, and name it with --root",
            )
        if real.is_relative_to(self._results):
            raise InputError(
                f"{text} is among the results of this batch", "Choose another output folder"
            )
        return lexical

    def _transform(self, text: str) -> Path:
        path = self._within(text)
        require_readable(path)
        return path

    def _require_pair(self, options: argparse.Namespace) -> None:
        same_series = options.fixed_series == options.moving_series
        if options.fixed.resolve() == options.moving.resolve() and same_series:
            raise InputError(
                f"{options.fixed.name} is both the fixed and the moving volume",
                "Give two volumes, or two series of one folder",
            )
        if options.different_patients:
            return
        below = (os.path.relpath(p, self._rules.root) for p in (options.fixed, options.moving))
        subjects = [_SUBJECT.findall(Path(path).as_posix()) for path in below]
        if all(subjects) and subjects[0][-1] != subjects[1][-1]:
            raise InputError(
                f"the volumes are of different subjects: sub-{subjects[0][-1]} and "
                f"sub-{subjects[1][-1]}",
                "Pair volumes of one subject; where two are meant, allow it by different-patients",
            )
        if is_dicom(options.fixed) and is_dicom(options.moving):
            contexts = [_PatientOnly(path) for path in (options.fixed, options.moving)]
            require_one_patient(*contexts, allowed=False)  # type: ignore[arg-type]

    def _require_weights(self, path: Path) -> None:
        if path not in self._weights:
            from ..network.weights import load_model

            load_model(path)
            self._weights.add(path)


class _PatientOnly:
    """Whose a series is, from one header: all that :func:`require_one_patient` looks at."""

    def __init__(self, path: Path) -> None:
        import pydicom

        from ..dicom.context import Patient
        from ..dicom.headers import damaged, text

        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        file = next((each for each in files if is_dicom(each)), None)
        if file is None:
            raise InputError(f"{path} holds no DICOM file", "Give the folder of a DICOM series")
        with damaged(file):
            header = pydicom.dcmread(file, stop_before_pixels=True)
            self.patient = Patient(
                patient_id=text(header, "PatientID"),
                name=text(header, "PatientName"),
                birth_date=text(header, "PatientBirthDate"),
                sex=text(header, "PatientSex"),
                issuer_of_id=text(header, "IssuerOfPatientID"),
            )


def proposed(rows: Iterable[Row]) -> list[str]:
    """A sentence for each row that nobody may run unseen."""
    return [
        f"{row.place}: {row.doubt}, so that it must be looked at. Write the pairs with --dry-run "
        "--list FILE, correct them, and give that file."
        for row in rows
        if row.doubt
    ]


def _require_name(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise InputError(
            f"the name {name!r} cannot be a folder's",
            f"Use at most {_LONGEST_NAME} letters, digits and _ . + @ -; a letter or digit first",
        )
    return name


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e9:
        raise InputError(f"the timeout {text!r} is no number of seconds", "Give one above 0")
    return seconds


def _nearest(path: Path) -> Path:
    return next(p for p in (path, *path.absolute().parents) if p.exists())
