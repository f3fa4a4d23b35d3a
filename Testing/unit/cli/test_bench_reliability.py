from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk

torch = pytest.importorskip("torch")
pytest.importorskip("scipy", reason="the faults need scipy, of the extra [train]")

from WDualMineLib.cli.bench.fault_detection import as_text
from WDualMineLib.cli.bench.speed import phantoms
from WDualMineLib.cli.main import main
from WDualMineLib.lab.training.corruption import TRAINED, UNSEEN, corrupt
from WDualMineLib.lab.training.dataset import SlicePair
from WDualMineLib.lab.training.findings import METHODS, WEIGHTINGS, find_faults, variance_share
from WDualMineLib.network.model import DualMineNetwork, FusionMaps
from WDualMineLib.network.weights import save_weights
from WDualMineLib.progress import finish

KINDS = ("noise", "missing_slab", "metal")


@pytest.fixture
def pair():
    a, b = (np.round(phantom[0] * 255) / 255 for phantom in phantoms((1, 64, 64)))
    return SlicePair("CT-MRI", 33, "33001.png", a.astype(np.float32), b.astype(np.float32))


class Knowing(torch.nn.Module):
    """Trusts a source less the more it differs from what it was before the fault."""

    def __init__(self, pair, sense):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.clean = [torch.from_numpy(x)[None, None] for x in (pair.a, pair.b)]
        self.sense = sense

    def forward(self, a, b, statistics=None):
        harm = ((x - y).abs() for x, y in zip((a, b), self.clean, strict=True))
        # A fault's mask reaches two pixels beyond what it changed.
        harm_a, harm_b = (torch.nn.functional.max_pool2d(x, 5, 1, padding=2) for x in harm)
        reliability = torch.sigmoid(self.sense * (harm_b - harm_a))
        return FusionMaps(a * 0, reliability, 1 - reliability, a * 0)


@pytest.mark.parametrize(("sense", "low", "high"), [(9, 0.999, 1), (0, 0.5, 0.5), (-9, 0, 0.001)])
def test_a_network_is_judged_by_what_it_knows(pair, sense, low, high):
    findings = finish(find_faults(Knowing(pair, sense), [pair], KINDS, seed=0))
    assert {f.kind for f in findings} == set(KINDS)
    assert {f.source for f in findings} == {"CT-MRI: CT", "CT-MRI: MRI"}
    assert all(low <= f.auroc["network"] <= high for f in findings)


def test_the_same_seed_draws_the_same_faults_whatever_the_network(pair):
    runs = [finish(find_faults(Knowing(pair, s), [pair], KINDS, 5)) for s in (9, -9)]
    baseline = [[f.auroc["local variance"] for f in run] for run in runs]
    assert baseline[0] == baseline[1]
    other = [
        f.auroc["local variance"] for f in finish(find_faults(Knowing(pair, 9), [pair], KINDS, 6))
    ]
    assert other != baseline[0]


def test_variance_share_trusts_the_livelier_source(pair):
    images = [np.full((20, 20), 0.5, np.float32), np.random.default_rng(0).random((20, 20))]
    share = variance_share(images, 1)
    assert share.min() > 0.99
    assert share + variance_share(images, 0) == pytest.approx(np.ones((20, 20)))
    assert variance_share([images[0]] * 2, 0) == pytest.approx(np.full((20, 20), 0.5))


def test_harm_is_the_change_of_the_fused_slice_within_the_fault(pair):
    (finding, _) = finish(find_faults(Knowing(pair, 9), [pair], ("missing_slab",), seed=0))

    fault = corrupt(pair.a, "missing_slab", np.random.default_rng([0, 0, 0, 0]))
    harmed = fault.mask & ((pair.a > 0) | (pair.b > 0))
    # This network fuses to the average, whatever it trusts.
    expected = np.abs(fault.image - pair.a)[harmed].mean() / 2 * 255
    assert finding.harm == pytest.approx(dict.fromkeys(WEIGHTINGS, expected), rel=1e-4)


def test_the_table_has_a_line_a_kind_and_the_means(pair):
    findings = finish(find_faults(Knowing(pair, 9), [pair], KINDS, seed=0))

    lines = as_text(findings, {"noise": "", "missing_slab": "", "metal": "*"}).splitlines()

    names = ["noise", "missing_slab", "metal*", "mean", "mean of trained", "mean*"]
    assert [line[:20].split("  ")[0].strip() for line in lines[1:]] == names
    mean = np.mean([f.auroc["network"] for f in findings])
    assert lines[-3].split()[-4] == f"{mean:.3f}"
    of_metal = np.mean([f.auroc["network"] for f in findings if f.kind == "metal"])
    assert lines[-1].split()[-4] == f"{of_metal:.3f}"


def test_the_command_writes_every_kind(tmp_path, pair, capsys):
    cases = {"CT-MRI": 33, "PET-MRI": 30, "SPECT-MRI": 22}
    for group, case in cases.items():
        for folder, array in ((group.split("-")[0], pair.a), ("MRI", pair.b)):
            (tmp_path / "data" / group / folder).mkdir(parents=True)
            image = sitk.GetImageFromArray(np.round(array * 255).astype(np.uint8))
            sitk.WriteImage(image, str(tmp_path / "data" / group / folder / f"{case}001.png"))
    save_weights(DualMineNetwork(), tmp_path / "w.pt")
    words = ["bench", "reliability", tmp_path / "data", "--weights", tmp_path / "w.pt"]
    words += ["--json", tmp_path / "r.json"]
    assert main([str(word) for word in words]) == 0
    figures = json.loads((tmp_path / "r.json").read_text())
    assert figures["pairs"] == 3
    assert set(figures["auroc"]) == set(METHODS)
    assert set(figures["harm"]) == set(WEIGHTINGS)
    assert set(figures["auroc"]["network"]) == {*TRAINED, *UNSEEN}
    assert "metal*" in capsys.readouterr().out
    assert main([str(word) for word in words]) == 2
    assert main([str(word) for word in (*words, "--force", "--every", 0)]) == 2
