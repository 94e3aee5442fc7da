"""The training loop, the only file that calls ``optimizer.step()``: the same for taggers and for segmenters."""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from taggers.batch import TokenBatch, pad
from taggers.errors import ConfigError
from taggers.features import Featurizer
from taggers.labels import MISSING
from taggers.network import TaggingNetwork
from training.config import TrainingConfig
from training.data import Example
from training.interrupt import Interrupt
from training.optimizer import make_optimizer, rate_factor
from training.sampler import epoch_batches

logger = logging.getLogger(__name__)

Judge = Callable[[TaggingNetwork], Mapping[str, float]]
"""A network in evaluation mode -> its dev scores, of which ``score`` decides."""


@dataclass(slots=True)
class Progressed:
    """How far a training is: what ``last.pt`` holds beside the tensors."""

    epoch: int = 0
    batch: int = 0
    best_score: float = -1.0
    best_epoch: int = -1
    seconds: float = 0.0
    finished: bool = False


@dataclass(slots=True)
class _EpochLoss:
    """The losses of an epoch so far: of each task only the batches that carried it count."""

    sums: dict[str, float] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)

    def add(self, losses: Mapping[str, Tensor]) -> None:
        for task, loss in losses.items():
            self.sums[task] = self.sums.get(task, 0.0) + float(loss.detach())
            self.batches[task] = self.batches.get(task, 0) + 1

    def means(self) -> dict[str, float]:
        return {task: round(total / self.batches[task], 5) for task, total in self.sums.items()}


class Training:
    """One network's training, with its best and last checkpoints in ``folder`` and its log in ``log.jsonl``.

    Args:
        network: With fresh or initial weights.
        featurizer: Makes its batches.
        examples: The examples of an epoch, counted from 0: the same for the same epoch.
        judge: Scores the network on dev after each epoch, or after the last one alone where that is kept.
        weights: Task name -> the weight of its loss.
        config: How long, how fast, in which order.
        folder: Where checkpoints and log go.
        device: Where it runs.
    """

    def __init__(
        self,
        network: TaggingNetwork,
        featurizer: Featurizer,
        *,
        examples: Callable[[int], Sequence[Example]],
        judge: Judge,
        weights: Mapping[str, float],
        config: TrainingConfig,
        folder: Path,
        device: torch.device,
    ) -> None:
        self.config = config
        self.featurizer = featurizer
        self.examples = examples
        self.judge = judge
        self.weights = dict(weights)
        self.folder = folder
        self.accelerator = _make_accelerator(device, config.precision)
        self.network = network.to(self.accelerator.device)
        self.average = (
            AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(config.average))  # type: ignore[no-untyped-call]
            if config.average
            else None
        )
        self.optimizer = self.accelerator.prepare_optimizer(make_optimizer(self.network, config))
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.progress = Progressed()
        self._loss = _EpochLoss()

    def run(self, *, resume: bool) -> Progressed:
        """Train to the end; the network holds the best weights afterwards.

        Ctrl-C saves a checkpoint first, from which ``resume`` goes on exactly where it stopped.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        set_seed(self.config.seed)
        if resume and (self.folder / "last.pt").is_file():
            self._restore()
            if not self.progress.finished:
                logger.info("resuming at epoch %d, batch %d", self.progress.epoch + 1, self.progress.batch)
        self._cut_log()
        started = time.monotonic() - self.progress.seconds
        with Interrupt() as interrupt:
            while not self.progress.finished and not interrupt.asked:
                self._run_epoch(started, interrupt)
        if interrupt.asked:  # even in the last epoch: what comes after this training must not begin
            logger.warning("stopped after %d epochs; go on with --resume", self.progress.epoch)
            raise KeyboardInterrupt
        self._load_best()
        return self.progress

    def _run_epoch(self, started: float, interrupt: Interrupt) -> None:
        progress, config = self.progress, self.config
        examples = self.examples(progress.epoch)
        costs = [
            sum(map(self.featurizer.cost, e.forms)) if self.featurizer.tokenizer else len(e.forms) for e in examples
        ]
        batches = epoch_batches(
            costs, max_padded_tokens=config.max_batch_tokens, seed=config.seed, epoch=progress.epoch
        )
        if not batches:
            raise ConfigError("the training files hold nothing to learn from")
        self.network.train()
        saved = time.monotonic()
        with _progress_bar() as bar:
            shown = bar.add_task(f"epoch {progress.epoch + 1}", total=len(batches), completed=progress.batch)
            for indices in batches[progress.batch :]:
                done = (progress.epoch + progress.batch / len(batches)) / config.epochs
                for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
                    group["lr"] = peak * rate_factor(done, warmup=config.warmup)
                self._loss.add(self._step([examples[index] for index in indices]))
                progress.batch += 1
                bar.advance(shown)
                if interrupt.asked or time.monotonic() - saved > 60 * config.checkpoint_minutes:
                    progress.seconds = time.monotonic() - started
                    self._save("last.pt")
                    saved = time.monotonic()
                if interrupt.asked:
                    return
        self._close_epoch(started)

    def _close_epoch(self, started: float) -> None:
        progress, config = self.progress, self.config
        evaluated = self._evaluated()
        evaluated.eval()
        keeps_last = config.keep == "last"
        scores = {} if keeps_last and progress.epoch + 1 < config.epochs else self.judge(evaluated)
        progress.seconds = time.monotonic() - started
        better = bool(scores) and (keeps_last or scores["score"] > progress.best_score)
        if better:
            progress.best_score, progress.best_epoch = scores["score"], progress.epoch
        entry = {
            "epoch": progress.epoch + 1,
            "seconds": round(progress.seconds, 1),
            "loss": self._loss.means(),
            "dev": {name: round(value, 5) for name, value in scores.items()},
            "best": better,
        }
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")
        figures = "  ".join(f"{name} {100 * value:.2f}" for name, value in scores.items())
        logger.info("epoch %d/%d  %s%s", progress.epoch + 1, config.epochs, figures, "  *" if better else "")
        progress.epoch += 1
        progress.batch = 0
        gave_up = not keeps_last and progress.epoch - progress.best_epoch > config.patience
        progress.finished = progress.epoch >= config.epochs or gave_up
        self._loss = _EpochLoss()
        if better:
            self._save("best.pt")
        self._save("last.pt")

    def _step(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        batch = self.featurizer.batch([example.forms for example in examples]).to(self.accelerator.device)
        labels = pad_labels(examples, batch)
        with self.accelerator.autocast():
            scores = self.network(batch)
        losses = self.network.losses({task: scores_BTL.float() for task, scores_BTL in scores.items()}, labels, batch)
        total = torch.stack([self.weights[task] * loss for task, loss in losses.items()]).sum()
        if not torch.isfinite(total):
            raise ConfigError(f'the loss is {total.item()}: lower training.learning_rate, or use precision = "fp32"')
        self.optimizer.zero_grad()
        self.accelerator.backward(total)
        self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.max_gradient_norm)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return losses

    def _evaluated(self) -> TaggingNetwork:
        """The network whose weights are judged and kept: the average where there is one."""
        if self.average is None:
            return self.network
        averaged = self.average.module
        assert isinstance(averaged, TaggingNetwork), "an average is of its network"
        return averaged

    def _save(self, name: str) -> None:
        state: dict[str, Any] = {"network": self._evaluated().state_dict()}
        if name == "last.pt":
            state |= {
                "current": self.network.state_dict(),
                "average": None if self.average is None else self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "progress": asdict(self.progress),
                "loss": asdict(self._loss),
                "random": torch.get_rng_state(),
                "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            }
        new = self.folder / f"{name}.new"
        try:
            with new.open("wb") as stream:  # opened here, so that a full disk is an OSError that says so
                torch.save(state, stream)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        new.replace(self.folder / name)

    def _restore(self) -> None:
        path = self.folder / "last.pt"
        state = _read_checkpoint(path)
        if state["progress"]["best_epoch"] >= 0:
            _read_checkpoint(self.folder / "best.pt")  # needed at the end: what is wrong with it must show now
        try:
            self.network.load_state_dict(state["current"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError, TypeError) as error:
            raise ConfigError(f"{path}: the checkpoint is of another config: {_first_line(error)}") from error
        self.progress = Progressed(**state["progress"])
        self._loss = _EpochLoss(**state["loss"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["random_cuda"])

    def _cut_log(self) -> None:
        """Leave in the log only the epochs that lie behind: one may have been logged and then lost in a crash."""
        path = self.folder / "log.jsonl"
        if path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text("".join(lines[: self.progress.epoch]), encoding="utf-8")

    def _load_best(self) -> None:
        self.network.load_state_dict(_read_checkpoint(self.folder / "best.pt")["network"])
        self.network.eval()


def pad_labels(examples: Sequence[Example], batch: TokenBatch) -> dict[str, Tensor]:
    """The label ids of the tasks that any of the examples carries: ``{task: (B, T)}``, missing where one does not."""
    tasks = {task for example in examples for task in example.labels}
    device = batch.mask_BT.device
    return {
        task: pad([example.labels.get(task, [MISSING] * len(example.forms)) for example in examples], value=MISSING).to(
            device
        )
        for task in sorted(tasks)
    }


def _make_accelerator(device: torch.device, precision: str) -> Accelerator:
    """Mixed precision on this device, whatever a training before in the same process had."""
    AcceleratorState._reset_state(reset_partial_state=True)  # it is a singleton and refuses a second precision
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return Accelerator(cpu=device.type == "cpu", mixed_precision={"fp32": "no"}.get(precision, precision))


def _read_checkpoint(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        try:
            state: dict[str, Any] = torch.load(stream, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError, OSError) as error:  # OSError: torch seeks behind a cut-off end
            raise ConfigError(f"{path}: the checkpoint is damaged: {_first_line(error)}") from error
    return state


def _first_line(error: Exception) -> str:
    """An error of torch in one line: what it says of the first problem."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) or type(error).__name__


def _progress_bar() -> Progress:
    """A bar on a terminal; nothing elsewhere, where the log's lines do."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), transient=True
    )
    bar.disable = not bar.console.is_terminal
    return bar
