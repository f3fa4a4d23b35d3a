"""What the evidence network is taught on, that it learns, and that its scores become odds."""

import numpy as np
import pytest
import torch

pytest.importorskip("scipy", reason="drawing volumes needs scipy, of the extra [train]")

from WDualMineLib.errors import InputError
from WDualMineLib.fusion.score_maps import SHARPENED
from WDualMineLib.lab.evidence.anatomies import Anatomy
from WDualMineLib.lab.evidence.appearance import sound
from WDualMineLib.lab.evidence.batches import DENSE, NATURAL, Prevalence, draw_stacks
from WDualMineLib.lab.evidence.calibration import blend, fold, quiet_shift, scores_of_sound
from WDualMineLib.lab.evidence.drawing import FIELD_MM, draw_crop
from WDualMineLib.lab.evidence.faults import KINDS, put_fault
from WDualMineLib.lab.evidence.feeding import Feed
from WDualMineLib.lab.evidence.learning import (
    Learner,
    LearningConfig,
    naming_loss,
    suspicion_loss,
)
from WDualMineLib.network.evidence import Evidence
from WDualMineLib.network.reliability import reliability_of

CHANNELS = (4, 6, 8, 8)


def head(seed=0, shape=(24, 96, 96)):
    rng = np.random.default_rng(seed)
    places = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = sum(x**2 for x in places) < 0.9
    tissue = 0.4 + 0.3 * np.sin(7 * places[2]) * np.cos(9 * places[1])
    return ((tissue + 0.02 * rng.standard_normal(shape)) * inside).clip(0, 1).astype(np.float32)


@pytest.fixture
def anatomies():
    pair = Anatomy("pair", (head(), 1 - head(1)), ("8-bit", "8-bit"), (5.0, 1.5, 1.5))
    ct = Anatomy("ct", (1500 * head(2) - 1000, 6 * head(3)), ("CT", "PET"), (3.0, 1.5, 1.5))
    return [pair, ct, Anatomy("mr", (900 * head(4),), ("MR",), (2.0, 1.5, 1.5))]


def test_crops_have_the_field_and_the_slices_asked_for(anatomies):
    for number, anatomy in enumerate(anatomies * 3):
        crop = draw_crop(anatomy, 5, np.random.default_rng(number))
        side = round(FIELD_MM / crop.pixel)
        assert [x.shape for x in crop.images] == [(5, side, side)] * len(anatomy.images)
        assert all(x.min() >= 0 and x.max() <= 1 for x in crop.images)


def test_sound_images_stay_in_range_and_differ_from_draw_to_draw():
    images = [head()[:6], head(1)[:6]]
    draws = [sound(images, 4.0, 1.0, np.random.default_rng(n)) for n in range(6)]

    for pair in draws:
        assert all(x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1 for x in pair)
    assert len({x.tobytes() for pair in draws for x in pair}) >= 10
    assert np.array_equal(images[0], head()[:6]), "what was drawn from is left as it was"


@pytest.mark.parametrize("kind", KINDS)
def test_faults_lie_where_they_are_said_to(kind):
    image = head(shape=(8, 64, 64))
    visible = 0
    for seed in range(10):
        fault = put_fault(image, kind, 4.0, 2.0, np.random.default_rng(seed))
        assert fault.image.min() >= 0 and fault.image.max() <= 1
        assert not (fault.visible & ~fault.touched).any()
        untouched = np.abs(fault.image - image)[~fault.touched]
        assert untouched.size == 0 or untouched.max() < 0.15
        visible += bool(fault.visible.any())
    assert visible >= 5


def test_batches_depend_on_seed_and_number_alone(anatomies):
    first, again = (draw_stacks(anatomies, 3, DENSE, 0, 7) for _ in range(2))
    other = draw_stacks(anatomies, 3, DENSE, 0, 8)

    assert torch.equal(first.a, again.a) and first.kinds == again.kinds
    assert first.a.shape != other.a.shape or not torch.equal(first.a, other.a)
    assert first.a.shape[2:] == (FIELD_MM, FIELD_MM)
    assert first.faulty_a.shape[2:] == (FIELD_MM // 4, FIELD_MM // 4)


def test_faults_are_as_common_as_asked_for(anatomies):
    shares = [
        np.mean([bool(k) for n in range(12) for k in draw_stacks(anatomies, 4, p, 1, n).kinds])
        for p in (NATURAL, DENSE)
    ]

    assert 0.3 < shares[0] < 0.7 and shares[1] > 0.85


def test_exchanged_stacks_are_the_same(anatomies):
    stacks = draw_stacks(anatomies, 2, DENSE, 0, 3)

    other = stacks.exchanged()

    assert torch.equal(other.a, stacks.b) and torch.equal(other.kind_b, stacks.kind_a)
    assert torch.equal(other.faulty_b, stacks.faulty_a)
    assert torch.equal(other.distance, stacks.distance) and other.kinds == stacks.kinds
    assert torch.equal(other.exchanged().counts_a, stacks.counts_a)


def test_stacks_are_turned_with_their_truth(anatomies):
    stacks = draw_stacks(anatomies, 3, DENSE, 0, 4)
    seen = set()
    for number in range(16):
        turned = stacks.turned(number)
        seen.add(turned.a.numpy().tobytes())
        # Mean intensity of what is faulty is the same wherever it lies.
        for a, faulty in ((turned.a, turned.faulty_a), (turned.b, turned.faulty_b)):
            cells = torch.nn.functional.avg_pool2d(a.float(), 4)
            of = stacks.turned(number & 8)
            plain, where = (of.a, of.faulty_a) if a is turned.a else (of.b, of.faulty_b)
            expected = torch.nn.functional.avg_pool2d(plain.float(), 4)[where].sum()
            torch.testing.assert_close(cells[faulty].sum(), expected, rtol=1e-4, atol=1e-4)

    assert len(seen) == 16 and torch.equal(stacks.turned(0).b, stacks.b)


def test_a_feed_hands_out_the_same_batches_whoever_draws_them(anatomies):
    def handed(workers, first=0, dense=6):
        feed = Feed(anatomies, 2, 5, 3, workers)
        return [x.a for x in feed.batches(first, 9, dense, (DENSE, NATURAL))]

    one, two = handed(1), handed(2)

    assert len(one) == 9 and all(torch.equal(x, y) for x, y in zip(one, two, strict=True))
    assert torch.equal(one[3], draw_stacks(anatomies, 2, DENSE, 5, 3).a)
    assert torch.equal(one[6], draw_stacks(anatomies, 2, NATURAL, 5, 6).a)
    # Resumed between two draws, it begins with a batch of its own.
    assert torch.equal(handed(1, first=6)[0], one[6]) and len(handed(1, first=7)) == 2


def test_what_was_common_does_not_come_back_when_faults_are_rare(anatomies):
    rare = Prevalence(0.0, 0.0, 0.0)
    feed = Feed(anatomies, 2, 5, 3)

    later = [x.kinds for x in feed.batches(0, 12, 6, (DENSE, rare))][6:]

    assert len(later) == 6 and not any("".join(kinds) for kinds in later)


def test_the_loss_prefers_the_truth_and_asks_nothing_where_nothing_is_known(anatomies):
    stacks = draw_stacks(anatomies, 4, DENSE, 0, 5)
    right = [8 * (2 * x.float() - 1) for x in (stacks.faulty_a, stacks.faulty_b)]
    silent = [torch.full_like(x, -2.0) for x in right]

    assert suspicion_loss(*right, stacks) < 0.01 < suspicion_loss(*silent, stacks)
    unknown = [s + 9 * ~c for s, c in zip(right, (stacks.counts_a, stacks.counts_b), strict=True)]
    assert suspicion_loss(*unknown, stacks) == suspicion_loss(*right, stacks)


def test_it_learns_resumes_and_leaves_a_log(anatomies, tmp_path):
    config = LearningConfig(steps=40, dense=0, stacks=2, warm_up=5, again=2, channels=CHANNELS)
    whole = Learner(config, anatomies, tmp_path / "whole")
    seen = draw_stacks(anatomies, 4, NATURAL, 0, 99)

    def cost():
        return suspicion_loss(
            *whole.model(seen.a.float(), seen.b.float(), seen.distance), seen
        ).item()

    before = cost()
    assert [row["step"] for row in whole.run()] == [20, 40]
    assert cost() < before

    parts = Learner(config, anatomies, tmp_path / "parts")
    list(parts.run(until=20))
    assert parts.step == 20
    resumed = Learner(config, anatomies, tmp_path / "parts")
    assert resumed.step == 20
    list(resumed.run(until=22))
    assert resumed.step == 22
    assert len((tmp_path / "parts" / "evidence.csv").read_text().splitlines()) == 3


def test_a_run_begins_with_the_weights_it_is_given(anatomies, tmp_path):
    config = LearningConfig(steps=2, dense=0, stacks=1, channels=CHANNELS)
    torch.manual_seed(5)
    start = Evidence(CHANNELS)

    learner = Learner(config, anatomies, tmp_path, start=start)

    for network in (learner.model, learner.average):
        for found, given in zip(network.parameters(), start.parameters(), strict=True):
            assert torch.equal(found, given)
    with pytest.raises(InputError, match="channels"):
        Learner(config, anatomies, tmp_path, start=Evidence((*CHANNELS[:-1], CHANNELS[-1] + 4)))


def test_a_shift_is_said_by_the_network(anatomies):
    torch.manual_seed(0)
    model = Evidence((4, 6, 8, 8)).eval()
    stacks = draw_stacks(anatomies, 1, NATURAL, 5, 0)
    seen = (stacks.a.float(), stacks.b.float(), stacks.distance)
    before = model(*seen)[0]

    fold(model, -1.5)

    after = model(*seen)[0]
    torch.testing.assert_close(after, before - 1.5, atol=1e-4, rtol=1e-4)


def test_weights_between_the_start_and_the_end_of_a_run():
    end, start = Evidence((4, 6, 8, 8)), Evidence((4, 6, 8, 8))
    for network, value in ((end, 3.0), (start, 1.0)):
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, value)

    blend(end, start, 0.75)

    assert all((x == 2.5).all() for x in end.parameters())
    assert all((x == 1.0).all() for x in start.parameters())


def test_the_scale_is_set_by_what_may_be_flagged_of_nine_in_ten_sound_volumes():
    scores = [torch.randn(20000, generator=torch.Generator().manual_seed(k)) for k in range(11)]
    scores[0] = scores[0] + 30  # the one that cannot be judged

    shift = quiet_shift(scores, allowed=0.02)

    flagged = []
    for x in scores:
        tissue = torch.ones_like(x)
        reliability = reliability_of(x + SHARPENED * shift, -20 * tissue, tissue, tissue)
        flagged.append((reliability < 0.25).float().mean().item())
    assert flagged[0] > 0.99
    assert max(flagged[1:]) == pytest.approx(0.02, abs=0.001)


def test_only_pairs_tell_what_sound_volumes_score(anatomies):
    torch.manual_seed(0)
    model = Evidence((4, 6, 8, 8)).eval()

    scores = scores_of_sound(model, anatomies)

    assert len(scores) == 2 * sum(len(x.images) == 2 for x in anatomies) > 0
    assert all(x.ndim == 1 and x.numel() > 10 and torch.isfinite(x).all() for x in scores)


def test_naming_costs_least_where_each_fault_is_named(anatomies):
    stacks = draw_stacks(anatomies, 2, DENSE, 3, 0)
    right = torch.nn.functional.one_hot(stacks.kind_a.long(), 1 + len(KINDS)).movedim(-1, 2).float()

    costs = [naming_loss(k * right, stacks.kind_a, stacks.counts_a) for k in (0, 5)]

    assert costs[1] < 0.1 * costs[0]
    assert ((stacks.kind_a > 0) | ~stacks.faulty_a).float().mean() > 0.95
