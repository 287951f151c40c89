"""Candidates, and the judge that compares them: in numpy what was trained in torch."""

from __future__ import annotations

import numpy as np
import pytest

from loopnet_cli.analysis.candidates import LEAST, PICTURE, ROWS, Candidates, find_candidates
from loopnet_cli.analysis.ear import GROUPS
from loopnet_cli.analysis.judge import FARTHEST, OUTPUTS, STEPS, Judge, JudgeConfig, heard_twice, time_steps
from loopnet_cli.analysis.spectrogram import BANDS, WINDOWS
from loopnet_cli.pattern import VOICES

SMALL = JudgeConfig(width=20, layers=2, heads=4, picture=12)
HIDDEN = 6


def drawn_candidates(frames: list[int], seed: int = 1) -> Candidates:
    rng = np.random.default_rng(seed)
    count = len(frames)
    return Candidates(
        np.array(frames, np.int64),
        np.maximum(rng.normal(size=(count, HIDDEN)), 0).astype(np.float32),
        rng.normal(-2, 3, (count, OUTPUTS)).astype(np.float32),
        rng.normal(size=(count, PICTURE)).astype(np.float32),
        rng.uniform(-1, 1, (count, ROWS)).astype(np.float32),
        rng.uniform(0, 1, (count, ROWS)).astype(np.float32),
    )


@pytest.fixture(scope="module")
def networks():
    torch = pytest.importorskip("torch")
    from loopnet_cli.training.judge import Judge as TorchJudge

    torch.manual_seed(0)
    trained = TorchJudge(SMALL, HIDDEN)
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    trained.eval()
    weights = {name.removeprefix("layers."): value.numpy() for name, value in trained.state_dict().items()}
    return trained, Judge(SMALL, weights)


def judged_by(trained, candidates: Candidates) -> np.ndarray:
    import torch

    from loopnet_cli.training.judge_data import Struck, side_by_side

    item = Struck(candidates, np.zeros((len(candidates.frames), len(VOICES)), np.float32))
    with torch.no_grad():
        return torch.sigmoid(trained(side_by_side([(item, np.ones(len(candidates.frames), bool))])))[0].numpy()


def test_numpy_and_torch_judge_alike(networks) -> None:
    trained, judge = networks
    candidates = drawn_candidates([3, 9, 40, 41, 160, 400, 700])
    found = judge(candidates)
    assert found.shape == (7, OUTPUTS)
    assert np.abs(found - judged_by(trained, candidates)).max() < 1e-5


def test_clips_side_by_side_do_not_hear_each_other(networks) -> None:
    import torch

    from loopnet_cli.training.judge_data import Struck, side_by_side

    trained, judge = networks
    few, many = drawn_candidates([5, 20], seed=2), drawn_candidates([1, 30, 60, 90], seed=3)
    items = [Struck(c, np.zeros((len(c.frames), len(VOICES)), np.float32)) for c in (few, many)]
    with torch.no_grad():
        out = torch.sigmoid(trained(side_by_side([(item, np.ones(len(item.velocities), bool)) for item in items])))
    assert np.abs(out[0, :2].numpy() - judge(few)).max() < 1e-5
    assert np.abs(out[1].numpy() - judge(many)).max() < 1e-5


def test_every_part_of_the_judge_matters(networks) -> None:
    _, judge = networks
    candidates = drawn_candidates([3, 9, 40, 160])
    before = judge(candidates)
    for name, kept in list(judge._weights.items()):
        if name.endswith("query.bias"):
            continue  # its middle third moves all scores of a stroke alike
        judge._weights[name] = kept * 0
        assert np.abs(judge(candidates) - before).max() > 1e-6, name
        judge._weights[name] = kept


def test_strokes_are_compared_with_those_that_are_not_too_far(networks) -> None:
    _, judge = networks
    near, far = drawn_candidates([0, FARTHEST]), drawn_candidates([0, FARTHEST + 1])
    alone = {
        c: judge(Candidates(*(getattr(c_, f)[:1] for f in Candidates.__dataclass_fields__)))
        for c, c_ in (("n", near), ("f", far))
    }
    assert np.abs(judge(near)[0] - alone["n"][0]).max() > 1e-4
    assert np.abs(judge(far)[0] - alone["f"][0]).max() < 1e-6


def test_time_between_strokes_is_told_finely_when_short_and_which_comes_first() -> None:
    steps = time_steps(np.array([-FARTHEST, -10, -1, 0, 1, 10, 20, 200, FARTHEST]))
    assert steps[3] == STEPS
    assert np.all(np.diff(steps) >= 0)
    assert steps[0] >= 0
    assert steps[-1] <= 2 * STEPS
    assert steps[1] == 2 * STEPS - steps[5]
    assert steps[6] > steps[5]


class BumpEar:
    """Hears a kick at frame 20.3 and, faintly, a closed hat at 22."""

    def listen(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        frames = np.arange(x.shape[2])
        activations = np.full((OUTPUTS, len(frames)), 1e-4)
        activations[VOICES.index("kick")] += 0.9 * np.exp(-0.5 * ((frames - 20.3) / 0.8) ** 2)
        activations[VOICES.index("hat_closed")] += 0.1 * np.exp(-0.5 * ((frames - 22) / 0.8) ** 2)
        return np.ones((HIDDEN, len(frames)), np.float32), np.log(activations / (1 - activations)).astype(np.float32)


def test_a_candidate_stands_where_something_peaks_and_knows_each_peak() -> None:
    x = np.random.default_rng(0).normal(size=(len(WINDOWS), BANDS, 60)).astype(np.float32)
    found = find_candidates(x, *BumpEar().listen(x))
    assert found.frames.tolist() == [20]
    assert found.places[0, VOICES.index("kick")] == pytest.approx(0.3, abs=0.02)
    assert found.places[0, VOICES.index("hat_closed")] == pytest.approx(2.0, abs=0.02)
    assert found.places[0, VOICES.index("crash")] == 0
    assert found.values[0, VOICES.index("hat_closed")] == pytest.approx(0.1, abs=0.01)
    assert found.picture.shape == (1, PICTURE)
    assert found.picture[0, :BANDS] == pytest.approx(x[0, :, 16])  # four frames before, long window
    assert found.picture[0, -BANDS:] == pytest.approx(x[1, :, 24])


def test_where_nothing_is_suspected_there_are_no_candidates() -> None:
    x = np.zeros((len(WINDOWS), BANDS, 30), np.float32)
    quiet = np.full((OUTPUTS, 30), np.log(LEAST / 2), np.float32)
    assert len(find_candidates(x, np.ones((HIDDEN, 30), np.float32), quiet).frames) == 0

    class Deaf:
        def listen(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.ones((HIDDEN, x.shape[2]), np.float32), quiet

    assert not heard_twice(Deaf(), None, x).any()  # type: ignore[arg-type]


def test_what_the_judge_says_stands_where_the_ear_heard_it() -> None:
    from loopnet_cli.analysis.transcriber import find_peaks

    def judge(candidates: Candidates) -> np.ndarray:
        verdicts = np.zeros((len(candidates.frames), OUTPUTS), np.float32)
        verdicts[:, VOICES.index("hat_closed")] = 0.8
        verdicts[:, len(VOICES) + list(GROUPS).index("hat")] = 0.7
        verdicts[:, ROWS + VOICES.index("hat_closed")] = 0.25
        return verdicts

    x = np.zeros((len(WINDOWS), BANDS, 60), np.float32)
    heard = heard_twice(BumpEar(), judge, x)  # type: ignore[arg-type]
    ((frame, place),) = find_peaks(heard[VOICES.index("hat_closed")], 0.5)
    assert frame == 22
    assert place == pytest.approx(22, abs=0.05)
    assert heard[VOICES.index("hat_closed")].max() == pytest.approx(0.8, abs=1e-3)
    assert not heard[VOICES.index("kick")].any()
    assert heard[ROWS + VOICES.index("hat_closed")] == pytest.approx(0.25)
