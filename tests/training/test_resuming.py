"""A training that was interrupted and goes on ends with the bits of one that was not."""

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from playbill.core import DependencyUnavailable, FixedClock, InvalidInput, NotFound
from playbill.training import checkpoints as checkpoints_module
from playbill.training import ranker_training, tower_training
from playbill.training.checkpoints import Checkpoints, Interrupted, identity_of
from playbill.training.determinism import repeatable
from playbill.training.fitting import Recipe, Session, fit
from playbill.training.ranker_training import train_ranker
from playbill.training.sequences import sequences_of
from playbill.training.split import quick_split
from playbill.training.tower_training import train_towers

IDENTITY = {"data": "a", "seed": 1}


def small(validated=True, averaged=None):
    """Return a recipe whose batches, dropout and validation all draw by chance."""
    random = np.random.default_rng(3)
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32))
    y = (x.sum(dim=1) > 0).float()
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.Linear(8, 1))

    def batches():
        order = random.permutation(20)
        order = order[torch.randperm(20).numpy()]
        yield from (order[first : first + 6] for first in range(0, 20, 6))

    def loss(part):
        logits = net(x[part]).squeeze(1)
        return nn.functional.binary_cross_entropy_with_logits(logits, y[part])

    return net, Recipe(
        stage="small",
        modules={"net": net},
        optimiser=torch.optim.AdamW(net.parameters()),
        passes=3,
        batches=batches,
        loss=loss,
        size=len,
        examples=20,
        rate=lambda step, share: 0.01 * (1.1 - share),
        random=random,
        validate=(lambda: float(loss(np.arange(20)).detach())) if validated else None,
        averaged=averaged,
    )


def fitted(session=None, validated=True, averaged=None):
    with repeatable(5, 1):
        net, recipe = small(validated, averaged)
        found = fit(recipe, session)
        state = {name: value.numpy().tobytes() for name, value in net.state_dict().items()}
    return state, found


class After:
    """Say "stop" when asked the n-th time."""

    def __init__(self, looks):
        self.left = looks

    def __call__(self):
        self.left -= 1
        return self.left == 0


@pytest.mark.parametrize(("validated", "averaged"), [(True, None), (True, 0.8), (False, None)])
@pytest.mark.parametrize("steps", range(1, 16))
def test_wherever_it_is_interrupted_it_ends_with_the_same_bits(
    tmp_path, steps, validated, averaged
):
    plain, losses = fitted(None, validated, averaged)
    kept = Checkpoints(tmp_path, IDENTITY, FixedClock(0), After(steps))
    with pytest.raises(Interrupted):
        fitted(Session(kept), validated, averaged)
    again = Checkpoints(tmp_path, IDENTITY, FixedClock(0))
    state, resumed = fitted(Session(again), validated, averaged)
    assert state == plain
    assert resumed == losses


def test_what_is_kept_is_the_mean_of_the_weights_along_the_way():
    """One weight that falls by 1 a step; validation reads it and likes the first pass best."""
    weight = nn.Parameter(torch.tensor([10.0]))
    module, seen = nn.Module(), []
    module.weight = weight

    def validate():
        seen.append(float(weight.detach()))
        return float(len(seen))

    recipe = Recipe(
        stage="falling",
        modules={"falling": module},
        optimiser=torch.optim.SGD([weight], lr=1.0),
        passes=2,
        batches=lambda: iter([1, 1, 1]),
        loss=lambda batch: weight.sum(),
        size=lambda batch: batch,
        examples=3,
        rate=lambda step, share: 1.0,
        validate=validate,
        averaged=0.5,
    )
    fit(recipe)
    mean, means = 10.0, []
    for step in range(6):
        kept = min(0.5, (1 + step) / (10 + step))
        mean += (1.0 - kept) * (10.0 - (step + 1) - mean)
        means.append(mean)
    assert seen == pytest.approx([means[2], means[5]])
    assert float(weight.detach()) == pytest.approx(means[2])


def test_interrupted_at_every_step_it_still_ends_with_the_same_bits(tmp_path):
    plain, losses = fitted()
    attempts = 0
    for _ in range(40):
        try:
            kept = Checkpoints(tmp_path, IDENTITY, FixedClock(0), After(1))
            fitted(Session(kept))
        except Interrupted:
            attempts += 1
        else:
            break
    assert attempts == 15
    state, resumed = fitted(Session(Checkpoints(tmp_path, IDENTITY, FixedClock(0))))
    assert (state, resumed) == (plain, losses)


def test_a_checkpoint_is_written_when_it_is_due_and_tells_what_was_measured(tmp_path):
    clock, told, written = FixedClock(0), [], []
    kept = Checkpoints(tmp_path, IDENTITY, clock, every_s=10.0)

    def on_metric(stage, words):
        told.append((stage, words))

    _, recipe = small()
    with repeatable(5, 1):
        fit(recipe, Session(kept, on_metric))
    assert [words.split(":")[0] for _, words in told] == [f"pass {n} of 3" for n in (1, 2, 3)]
    assert all("held out" in words for _, words in told)
    for seconds in (0.0, 5.0, 5.1, 1.0):
        clock.seconds += seconds
        kept.offer("due", lambda: written.append(1) or {"a": 1}, now=False)
    assert len(written) == 1


def test_a_checkpoint_of_another_run_is_refused_with_what_changed(tmp_path):
    Checkpoints(tmp_path, IDENTITY, FixedClock(0))
    assert identity_of(tmp_path) == IDENTITY
    with pytest.raises(InvalidInput, match="of another run: seed changed"):
        Checkpoints(tmp_path, {**IDENTITY, "seed": 2}, FixedClock(0))


def test_without_a_checkpoint_there_is_nothing_to_go_on_with(tmp_path):
    with pytest.raises(NotFound, match="no training was interrupted"):
        identity_of(tmp_path)
    (tmp_path / "run.json").write_bytes(b"{")
    with pytest.raises(InvalidInput, match="damaged"):
        identity_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"cos\nsystem\n(S'true'\ntR."])
def test_a_damaged_or_hostile_checkpoint_is_refused_and_nothing_runs(tmp_path, content):
    kept = Checkpoints(tmp_path, IDENTITY, FixedClock(0))
    (tmp_path / "small.pt").write_bytes(content)
    with pytest.raises(InvalidInput, match="cannot be read"):
        kept.load("small")


def test_a_disk_that_fills_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    kept = Checkpoints(tmp_path, IDENTITY, FixedClock(0))
    kept.offer("small", lambda: {"step": 1}, now=True)

    def full(state, file):
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints_module.torch, "save", full)
    with pytest.raises(DependencyUnavailable, match="No space left"):
        kept.offer("small", lambda: {"step": 2}, now=True)
    assert kept.load("small") == {"step": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run.json", "small.pt"]


def test_ranker_and_towers_go_on_to_the_same_graphs(tmp_path, dataset, quickly, monkeypatch):
    monkeypatch.setattr(ranker_training, "FEWEST_STEPS", 60)
    monkeypatch.setattr(tower_training, "FEWEST_STEPS", 30)
    training = msgspec.structs.replace(quickly.training, epochs=1, tower_epochs=2)
    quickly = msgspec.structs.replace(quickly, training=training)
    rows = dataset.rows()
    split = quick_split(rows.at_ms, quickly.training.holdout)
    items, sequences = dataset.items(), sequences_of(rows, split.train(rows.at_ms))

    def both(session):
        ranker = train_ranker(rows, split, quickly, dataset.histories(), session=session)
        return ranker.graph, train_towers(sequences, items, quickly, session=session).user_graph

    plain = both(None)
    for looks in (40, 60):
        with pytest.raises(Interrupted):
            both(Session(Checkpoints(tmp_path, IDENTITY, FixedClock(0), After(looks))))
    assert both(Session(Checkpoints(tmp_path, IDENTITY, FixedClock(0)))) == plain


def test_states_hold_nothing_but_tensors_and_plain_values(tmp_path):
    kept = Checkpoints(tmp_path, IDENTITY, FixedClock(0), After(2))
    with pytest.raises(Interrupted):
        fitted(Session(kept))
    state = kept.load("small")
    assert set(state) >= {"place", "modules", "optimiser", "begun", "torch"}
    assert msgspec.json.decode(state["begun"]["numpy"])["bit_generator"] == "PCG64"
