"""Batches of small studies."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

CORRUPT = b"\x1f\x8b this is no volume"


@pytest.fixture
def studies(save, tmp_path) -> Callable[..., Path]:
    """Write a list of ``count`` small studies; ``more`` columns by the number of a row."""

    def studies(count: int, more: dict[int, dict[str, str]] | None = None) -> Path:
        pair = save("fixed.nii.gz"), save("moving.nii.gz", seed=1)
        folder = tmp_path / "volumes"
        folder.mkdir()
        more = more or {}
        names = sorted({name for extra in more.values() for name in extra})
        path = folder / "list.csv"
        with path.open("w", newline="") as stream:
            rows = csv.writer(stream)
            rows.writerow(["name", "fixed", "moving", *names])
            for number in range(count):
                files = [f"{number}_{source.name}" for source in pair]
                for source, name in zip(pair, files, strict=True):
                    shutil.copy(source, folder / name)
                extra = more.get(number, {})
                rows.writerow([f"s{number}", *files, *(extra.get(name, "") for name in names)])
        return path

    return studies


@pytest.fixture
def table() -> Callable[[Path], dict[str, dict[str, str]]]:
    """``summary.csv`` of an output folder: study to its row."""

    def table(folder: Path) -> dict[str, dict[str, str]]:
        with (folder / "summary.csv").open(newline="") as stream:
            return {row["study"]: row for row in csv.DictReader(stream)}

    return table
