"""The training loop: stopped anywhere and resumed, it ends where it would have; it keeps the best weights."""

import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from taggers.encoders.transformer import PretrainedEncoder
from taggers.errors import ConfigError
from taggers.labeler import Labeler
from taggers.network import TaggingNetwork
from tests.tiny import ENCODERS, tiny_corpus, tiny_labeler
from training.config import TrainingConfig
from training.data import MISSING, Example, make_examples
from training.loop import Judge, Training, pad_labels

CPU = torch.device("cpu")


pytestmark = pytest.mark.usefixtures("one_thread")


class Tripwire(Sequence[Example]):
    """Examples of which taking the ``step``-th sets off an alarm: here one batch holds one example."""

    def __init__(self, examples: Sequence[Example], step: int, alarm: Callable[[], object]) -> None:
        self.examples, self.step, self.alarm = examples, step, alarm
        self.taken = 0

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Any:
        return iter(self.examples)  # counting the costs is no step

    def __getitem__(self, index: Any) -> Any:
        self.taken += 1
        if self.taken == self.step:
            self.alarm()
        return self.examples[index]


def examples_of(labeler: Labeler) -> list[Example]:
    return make_examples((sentence for document in tiny_corpus() for sentence in document), labeler.tasks)


def accuracy(labeler: Labeler) -> Judge:
    """A real dev score: how many labels of the training examples are right."""
    examples = examples_of(labeler)

    def judge(network: TaggingNetwork) -> dict[str, float]:
        assert not network.training
        batch = labeler.featurizer.batch([example.forms for example in examples])
        labels = pad_labels(examples, batch)
        right = {
            task: (found_BT == labels[task])[batch.mask_BT].double().mean().item()
            for task, (found_BT, _) in network.predict(batch).items()
        }
        return {"score": sum(right.values()) / len(right), **right}

    return judge


def make_training(
    folder: Path,
    labeler: Labeler,
    *,
    examples: Sequence[Example] | None = None,
    judge: Judge | None = None,
    **config: Any,
) -> Training:
    """Training of a tiny network: batches of one sentence, so four steps an epoch."""
    found = examples_of(labeler) if examples is None else examples
    values = {"max_batch_tokens": 1, "epochs": 3, "learning_rate": 1e-2, "average": 0.8, "warmup": 0.3, **config}
    return Training(
        labeler.network,
        labeler.featurizer,
        examples=lambda _epoch: found,
        judge=judge or accuracy(labeler),
        weights=dict.fromkeys(labeler.tasks, 1.0),
        config=TrainingConfig(**values),
        folder=folder,
        device=CPU,
    )


def log_of(folder: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries]


def weights_of(network: TaggingNetwork) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same_weights(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def interrupt_at(step: int, labeler: Labeler) -> Tripwire:
    return Tripwire(examples_of(labeler), step, lambda: signal.raise_signal(signal.SIGINT))


def run_interrupted(folder: Path, encoder: str, steps: Sequence[int], **config: Any) -> Training:
    """Train with a Ctrl-C in each of these steps (counted anew by each run), then to the end, each run from disk."""
    for number, step in enumerate(steps):
        labeler, _ = tiny_labeler(encoder)
        training = make_training(folder, labeler, examples=interrupt_at(step, labeler), **config)
        with pytest.raises(KeyboardInterrupt):
            training.run(resume=number > 0)
    labeler, _ = tiny_labeler(encoder)
    training = make_training(folder, labeler, **config)
    training.run(resume=True)
    return training


# going on where it stopped


@pytest.mark.parametrize(
    ("encoder", "config", "steps"),
    [
        ("cnn", {}, [1]),
        ("cnn", {}, [4]),  # the last of an epoch
        ("cnn", {}, [2, 3, 5]),
        ("cnn", {"average": 0.0}, [6]),
        ("cnn", {"max_batch_tokens": 16}, [3]),
        ("bilstm", {}, [6]),
        ("transformer", {"precision": "bf16"}, [6]),
    ],
)
def test_a_resumed_training_ends_as_an_uninterrupted_one(
    tmp_path: Path, encoder: str, config: dict[str, Any], steps: list[int]
) -> None:
    labeler, _ = tiny_labeler(encoder)
    whole = make_training(tmp_path / "whole", labeler, **config)
    whole.run(resume=False)
    parts = run_interrupted(tmp_path / "parts", encoder, steps, **config)
    assert log_of(tmp_path / "whole") == log_of(tmp_path / "parts")
    assert same_weights(weights_of(whole.network), weights_of(parts.network))
    last = [torch.load(tmp_path / run / "last.pt", weights_only=True)["current"] for run in ("whole", "parts")]
    assert same_weights(*last)


def test_the_control_another_seed_ends_elsewhere(tmp_path: Path) -> None:
    ends = []
    for seed in (1, 2):
        labeler, _ = tiny_labeler()
        make_training(tmp_path / str(seed), labeler, seed=seed).run(resume=False)
        ends.append(weights_of(labeler.network))
    assert not same_weights(*ends)


def test_an_interrupt_saves_before_it_stops(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    training = make_training(tmp_path, labeler, examples=interrupt_at(2, labeler))
    with pytest.raises(KeyboardInterrupt):
        training.run(resume=False)
    progress = torch.load(tmp_path / "last.pt", weights_only=True)["progress"]
    assert (progress["epoch"], progress["batch"], progress["finished"]) == (0, 2, False)


def test_a_second_interrupt_does_not_wait_and_spoils_nothing(tmp_path: Path) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    labeler, _ = tiny_labeler()
    whole = make_training(tmp_path / "whole", labeler)
    whole.run(resume=False)
    labeler, _ = tiny_labeler()
    training = make_training(tmp_path / "parts", labeler, examples=Tripwire(examples_of(labeler), 6, twice))
    with pytest.raises(KeyboardInterrupt):
        training.run(resume=False)
    labeler, _ = tiny_labeler()
    resumed = make_training(tmp_path / "parts", labeler)
    resumed.run(resume=True)
    assert log_of(tmp_path / "whole") == log_of(tmp_path / "parts")
    assert same_weights(weights_of(whole.network), weights_of(resumed.network))


def test_an_interrupt_in_the_last_evaluation_is_not_lost(tmp_path: Path) -> None:
    """Else Ctrl-C at the end of the segmenter's training would begin the tagger's."""
    labeler, _ = tiny_labeler()

    def judge(network: TaggingNetwork) -> dict[str, float]:
        signal.raise_signal(signal.SIGINT)
        return accuracy(labeler)(network)

    with pytest.raises(KeyboardInterrupt):
        make_training(tmp_path, labeler, judge=judge, epochs=1).run(resume=False)
    done = make_training(tmp_path, labeler, judge=judge, epochs=1).run(resume=True)
    assert done.finished
    assert len(log_of(tmp_path)) == 1


def test_an_epoch_that_was_logged_but_not_saved_is_logged_once(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    training = make_training(tmp_path, labeler, examples=interrupt_at(6, labeler))
    with pytest.raises(KeyboardInterrupt):
        training.run(resume=False)
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as log:
        log.write('{"epoch": 2, "dev": {"score": 0.5}}\n{"epo')  # as a crash leaves it
    labeler, _ = tiny_labeler()
    make_training(tmp_path, labeler).run(resume=True)
    assert [entry["epoch"] for entry in log_of(tmp_path)] == [1, 2, 3]


def test_resuming_a_finished_training_changes_nothing(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    make_training(tmp_path, labeler).run(resume=False)
    before = log_of(tmp_path), weights_of(labeler.network)
    again, _ = tiny_labeler(seed=5)
    make_training(tmp_path, again).run(resume=True)
    assert log_of(tmp_path) == before[0]
    assert same_weights(weights_of(again.network), before[1])


# what is kept


def judge_by(scores: Sequence[float], seen: list[dict[str, Tensor]]) -> Judge:
    """A judge with its mind made up, who keeps what it saw."""

    def judge(network: TaggingNetwork) -> dict[str, float]:
        seen.append(weights_of(network))
        return {"score": scores[len(seen) - 1]}

    return judge


@pytest.mark.parametrize("average", [0.0, 0.8])
@pytest.mark.parametrize(
    ("scores", "patience", "best"),
    [
        ([0.1, 0.3, 0.2, 0.2], 2, 1),
        ([0.5, 0.5, 0.5], 2, 0),  # as good is not better
        ([0.0, 0.1, 0.0, 0.2, 0.1], 9, 3),  # all five epochs
        ([0.4, 0.3], 1, 0),
    ],
)
def test_it_stops_without_progress_and_returns_the_best_weights(
    tmp_path: Path, scores: list[float], patience: int, best: int, average: float
) -> None:
    labeler, _ = tiny_labeler()
    seen: list[dict[str, Tensor]] = []
    training = make_training(
        tmp_path, labeler, judge=judge_by(scores, seen), epochs=5, patience=patience, average=average
    )
    done = training.run(resume=False)
    assert len(seen) == len(scores)
    assert (done.best_epoch, done.best_score, done.finished) == (best, scores[best], True)
    assert same_weights(weights_of(labeler.network), seen[best])
    assert not same_weights(weights_of(labeler.network), seen[best - 1])
    assert not labeler.network.training
    is_best = [entry["best"] for entry in log_of(tmp_path)]
    assert [i for i, flag in enumerate(is_best) if flag][-1] == best


def test_the_last_epoch_is_kept_where_dev_shall_not_choose(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    seen: list[dict[str, Tensor]] = []
    config: dict[str, Any] = {"epochs": 5, "patience": 1, "keep": "last"}
    training = make_training(tmp_path, labeler, judge=judge_by([0.4], seen), **config)
    done = training.run(resume=False)
    assert (done.best_epoch, done.best_score, done.finished) == (4, 0.4, True)
    assert len(seen) == 1
    assert same_weights(weights_of(training.network), seen[0])
    assert [entry["dev"] for entry in log_of(tmp_path)] == [*[{}] * 4, {"score": 0.4}]


def test_what_is_judged_is_the_average(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    seen: list[dict[str, Tensor]] = []
    training = make_training(tmp_path, labeler, judge=judge_by([0.1], seen), epochs=1)
    training.run(resume=False)
    last = torch.load(tmp_path / "last.pt", weights_only=True)
    assert same_weights(seen[0], last["network"])
    assert not same_weights(seen[0], last["current"])


def test_the_rate_rises_and_falls(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    rates: list[float] = []
    usual = accuracy(labeler)

    def judge(network: TaggingNetwork) -> dict[str, float]:
        rates.append(training.optimizer.param_groups[0]["lr"])
        return {"score": usual(network)["score"] + len(rates)}

    training = make_training(tmp_path, labeler, judge=judge, epochs=5, warmup=0.5)
    training.run(resume=False)
    assert rates == pytest.approx([3e-3, 7e-3, 9e-3, 5e-3, 1e-3])  # in the last of each epoch's four steps


def test_a_pretrained_encoder_has_its_own_rate_and_vectors_do_not_decay(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler("pretrained", folder=tmp_path / "bert")
    training = make_training(tmp_path, labeler, encoder_learning_rate=1e-5, weight_decay=0.1)
    of = {p: (g["lr"], g["weight_decay"]) for g in training.optimizer.param_groups for p in g["params"]}
    assert len(of) == len(list(labeler.network.parameters()))
    assert isinstance(labeler.network.encoder, PretrainedEncoder)
    pretrained = set(labeler.network.encoder.model.parameters())
    for parameter, (rate, decay) in of.items():
        assert rate == (1e-5 if parameter in pretrained else 1e-2)
        assert decay == (0.1 if parameter.ndim > 1 else 0.0)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_parameter_learns(tmp_path: Path, encoder: str, precision: str) -> None:
    labeler, _ = tiny_labeler(encoder, folder=tmp_path / "bert")
    training = make_training(tmp_path, labeler, epochs=1, max_batch_tokens=1000, precision=precision, average=0.0)
    training.run(resume=False)
    unused = ("pooler", "no_piece")  # of BERT, whose pooler nobody asks; of words without a piece, which are not here
    silent = [name for name, p in labeler.network.named_parameters() if p.grad is None or not p.grad.any()]
    assert [name for name in silent if not any(part in name for part in unused)] == []


# missing layers


def test_a_task_that_no_example_of_a_batch_carries_costs_nothing(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    before = weights_of(labeler.network)
    examples = [Example(e.forms, {"upos": e.labels["upos"]}) for e in examples_of(labeler)]
    make_training(tmp_path, labeler, examples=examples).run(resume=False)
    after = weights_of(labeler.network)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name.split(".")[1] for name in moved if name.startswith(("heads", "decoders"))} == {"task_upos"}
    assert log_of(tmp_path)[0]["loss"].keys() == {"upos"}


@pytest.mark.parametrize("decoder", ["softmax", "crf"])
def test_examples_without_a_layer_change_nothing_of_its_loss(decoder: str) -> None:
    labeler, _ = tiny_labeler(decoder=decoder)
    network = labeler.network.double()
    whole = examples_of(labeler)
    halves = [Example(e.forms, {"upos": e.labels["upos"]}) if i % 2 else e for i, e in enumerate(whole)]

    def losses(examples: Sequence[Example]) -> dict[str, Tensor]:
        batch = labeler.featurizer.batch([example.forms for example in examples])
        return network.losses(network(batch), pad_labels(examples, batch), batch)

    torch.testing.assert_close(losses(halves)["ner"], losses(whole[::2])["ner"], rtol=0, atol=1e-12)
    torch.testing.assert_close(losses(halves)["upos"], losses(whole)["upos"], rtol=0, atol=1e-12)


def test_labels_are_padded_with_missing() -> None:
    labeler, _ = tiny_labeler()
    examples = [Example(("a", "b"), {"x": [1, 2]}), Example(("c",), {"y": [3]})]
    labels = pad_labels(examples, labeler.featurizer.batch([example.forms for example in examples]))
    assert {task: ids.tolist() for task, ids in labels.items()} == {
        "x": [[1, 2], [MISSING, MISSING]],
        "y": [[MISSING, MISSING], [3, MISSING]],
    }


# what fails


def refused(training: Training, *, resume: bool = False) -> str:
    with pytest.raises(ConfigError) as caught:
        training.run(resume=resume)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_loss_that_is_no_number_is_told(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    with torch.no_grad():
        labeler.network.heads["task_upos"].bias.fill_(torch.nan)  # type: ignore[union-attr]
    assert refused(make_training(tmp_path, labeler)).startswith("the loss is nan: lower training.learning_rate")


def test_nothing_to_learn_from_is_told(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    assert "hold nothing to learn from" in refused(make_training(tmp_path, labeler, examples=[]))


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler("cnn")
    make_training(tmp_path, labeler).run(resume=False)
    other, _ = tiny_labeler("gru")
    message = refused(make_training(tmp_path, other), resume=True)
    assert message.startswith(f"{tmp_path / 'last.pt'}: the checkpoint is of another config: ")


def test_a_checkpoint_without_average_is_refused_where_there_should_be_one(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    make_training(tmp_path, labeler, average=0.0).run(resume=False)
    assert "of another config" in refused(make_training(tmp_path, labeler, average=0.5), resume=True)


@pytest.mark.parametrize("name", ["last.pt", "best.pt"])
@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_a_damaged_checkpoint_is_told(tmp_path: Path, content: bytes | None, name: str) -> None:
    labeler, _ = tiny_labeler()
    make_training(tmp_path, labeler).run(resume=False)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert f"{name}: the checkpoint is damaged: " in refused(make_training(tmp_path, labeler), resume=True)


def test_damaged_best_weights_are_told_before_more_is_trained(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    with pytest.raises(KeyboardInterrupt):
        make_training(tmp_path, labeler, examples=interrupt_at(6, labeler)).run(resume=False)  # in the second epoch
    (tmp_path / "best.pt").write_bytes(b"")
    training = make_training(tmp_path, labeler, examples=Tripwire(examples_of(labeler), 1, pytest.fail))
    assert "best.pt: the checkpoint is damaged: " in refused(training, resume=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_told_and_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler()
    training = make_training(tmp_path, labeler, examples=interrupt_at(2, labeler))
    with pytest.raises(KeyboardInterrupt):
        training.run(resume=False)
    (tmp_path / "last.pt.new").symlink_to("/dev/full")
    labeler, _ = tiny_labeler()
    training = make_training(tmp_path, labeler, examples=interrupt_at(1, labeler))
    with pytest.raises(OSError, match="No space left on device"):
        training.run(resume=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.pt"]
    assert torch.load(tmp_path / "last.pt", weights_only=True)["progress"]["batch"] == 2


def test_two_precisions_in_one_process(tmp_path: Path) -> None:
    """A segmenter in full precision, then a tagger in half, as one training config may ask for."""
    for precision in ("fp32", "bf16", "fp32"):
        labeler, _ = tiny_labeler()
        training = make_training(tmp_path / precision, labeler, precision=precision, epochs=1)
        assert training.accelerator.mixed_precision == {"fp32": "no"}.get(precision, precision)
        training.run(resume=False)
