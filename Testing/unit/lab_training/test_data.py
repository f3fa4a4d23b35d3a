"""Reading, splitting and batching of slice pairs."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from WDualMineLib.errors import InputError
from WDualMineLib.lab.training.dataset import (
    VALIDATION_CASES,
    SlicePair,
    group_pairs,
    read_pairs,
    split_by_case,
)
from WDualMineLib.lab.training.sampling import clean_batch, rng_of_lesson

SHARED = Path(os.environ.get("WDUALMINE_SHARED", Path(__file__).parents[4] / "shared"))
HARVARD = SHARED / "data" / "harvard"


def disc(side=64, level=0.6):
    rows, columns = np.indices((side, side)) - side / 2
    return np.where(np.hypot(rows, columns) < 0.4 * side, level, 0).astype(np.float32)


@pytest.fixture
def pairs():
    return [
        SlicePair(group, case, f"{case}{n:03}.png", disc(), disc(level=0.3))
        for group, cases in {"CT-MRI": (2, 33), "PET-MRI": (25,)}.items()
        for case in cases
        for n in range(3)
    ]


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def test_reads_grey_and_the_luminance_of_colour(tmp_path):
    colour = np.zeros((8, 8, 3), np.uint8)
    colour[..., 0] = 200
    for group in VALIDATION_CASES:
        modality = group.removesuffix("-MRI")
        write(tmp_path / group / modality / "25015.png", colour)
        write(tmp_path / group / "MRI" / "25015.png", np.full((8, 8), 51, np.uint8))

    (pair, *_) = read_pairs(tmp_path)

    assert (pair.group, pair.case, pair.name) == ("CT-MRI", 25, "25015.png")
    np.testing.assert_allclose(pair.a, round(0.299 * 200) / 255)
    np.testing.assert_allclose(pair.b, 0.2)


def test_missing_partner_is_named(tmp_path):
    write(tmp_path / "CT-MRI" / "CT" / "2001.png", np.zeros((8, 8), np.uint8))

    with pytest.raises(InputError, match=r"2001\.png has no partner"):
        read_pairs(tmp_path, ["CT-MRI"])


def test_other_size_and_unreadable_files_are_named(tmp_path):
    write(tmp_path / "CT-MRI" / "CT" / "2001.png", np.zeros((8, 8), np.uint8))
    write(tmp_path / "CT-MRI" / "MRI" / "2001.png", np.zeros((8, 9), np.uint8))
    with pytest.raises(InputError, match="differ in size"):
        read_pairs(tmp_path, ["CT-MRI"])

    (tmp_path / "CT-MRI" / "MRI" / "2001.png").write_text("no image")
    with pytest.raises(InputError, match="cannot be read"):
        read_pairs(tmp_path, ["CT-MRI"])


def test_absent_group_is_named(tmp_path):
    with pytest.raises(InputError, match="no folder CT-MRI"):
        read_pairs(tmp_path)


def test_split_is_by_case(pairs):
    training, validation = split_by_case(pairs)

    assert {(p.group, p.case) for p in training} == {("CT-MRI", 2), ("PET-MRI", 25)}
    assert {(p.group, p.case) for p in validation} == {("CT-MRI", 33)}


@pytest.mark.skipif(
    not HARVARD.is_dir(),
    reason="no slice pairs (set WDUALMINE_SHARED to the folder that holds data/harvard)",
)
def test_the_real_split_shares_no_case():
    training, validation = (group_pairs(x) for x in split_by_case(read_pairs(HARVARD)))

    assert {g: len(x) for g, x in training.items()} == {
        "CT-MRI": 113,
        "PET-MRI": 86,
        "SPECT-MRI": 205,
    }
    seen = {pair.b.tobytes() for pairs in training.values() for pair in pairs}
    for group, held_out in validation.items():
        assert {p.case for p in held_out} == set(VALIDATION_CASES[group])
        assert not {p.case for p in held_out} & {p.case for p in training[group]}
        assert not seen & {pair.b.tobytes() for pair in held_out}


def test_batches_depend_on_seed_and_step_alone(pairs):
    groups = group_pairs(pairs)

    def draw(seed, step):
        rng = rng_of_lesson(seed, step, 0)
        return clean_batch(groups, 1, 0.5, rng)

    first, again, later = draw(0, 5), draw(0, 5), draw(0, 6)

    assert all((x == y).all() for x, y in zip(first, again, strict=True))
    assert not all((x == y).all() for x, y in zip(first, later, strict=True))


def test_clean_batch_has_as_many_of_every_group(pairs):
    a, b = clean_batch(group_pairs(pairs), 2, 0.0, rng_of_lesson(0, 0, 0))

    assert a.shape == b.shape == (4, 1, 64, 64)
    assert a.max() == pytest.approx(0.6) and b.max() == pytest.approx(0.3)
