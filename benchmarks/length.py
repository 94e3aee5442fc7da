"""What a token costs by the length of its sequence: recurrence O(n), convolution O(n W), attention O(n^2).

    python benchmarks/length.py --output benchmarks/results/DATE-length    # writes .md and .svg; wants matplotlib

The encoders are those of the bundled English models, with fresh weights, since a weight's value costs nothing, and a
Transformer as wide and deep as the others. Each batch holds the same number of tokens, in sequences of one length, so
nothing is padding. The shortest of the runs counts; the encoders take turns.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from taggers.batch import PieceBatch, TokenBatch, make_forms
from taggers.config import BiLSTMConfig, CNNConfig, TransformerConfig
from taggers.encoders import build_encoder

_WIDTH = 256
_LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


def main() -> None:
    """Measure, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=4096, help="tokens of a batch, which are at least the longest")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(options.device)
    encoders = {name: encoder.eval().to(device) for name, encoder in build_encoders().items()}
    costs: dict[str, list[float]] = {name: [] for name in encoders}
    for length in _LENGTHS:
        x_BTD, batch = make_batch(options.tokens // length, length, device)
        seconds = dict.fromkeys(encoders, float("inf"))
        for _ in range(options.runs + 1):  # the first one, which is slow, never is the shortest
            for name, encoder in encoders.items():
                seconds[name] = min(seconds[name], time_once(encoder, x_BTD, batch, device))
        for name, shortest in seconds.items():
            costs[name].append(1e6 * shortest / (options.tokens // length * length))
    parameters = {name: sum(p.numel() for p in encoder.parameters()) for name, encoder in encoders.items()}
    options.output.with_suffix(".md").write_text(table(costs, parameters), encoding="utf-8")
    plot(costs, options.output.with_suffix(".svg"))


def build_encoders() -> dict[str, nn.Module]:
    """Name -> encoder with fresh weights."""
    torch.manual_seed(0)
    pieces = BertModel(
        BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
                   vocab_size=1000, max_position_embeddings=max(_LENGTHS)),
        add_pooling_layer=False,
    )  # fmt: skip
    return {
        "BiLSTM, 2 x 256": build_encoder(BiLSTMConfig(type="bilstm", width=_WIDTH, layers=2), _WIDTH),
        "CNN, 4 layers of 256": build_encoder(
            CNNConfig(type="cnn", width=_WIDTH, kernel=3, dilations=(1, 1, 2, 1)), _WIDTH
        ),
        "Transformer, 4 layers of 256": build_encoder(
            TransformerConfig(type="transformer", width=_WIDTH, layers=4, heads=4), _WIDTH
        ),
        "Transformer, 6 layers of 384 (MiniLM)": build_encoder(
            TransformerConfig(type="transformer", pretrained="fresh"), 0, piece_model=pieces
        ),
    }


def make_batch(rows: int, length: int, device: torch.device) -> tuple[Tensor, TokenBatch]:
    """Sequences of one length, each word one piece: embeddings (B, T, D) and the rest."""
    mask_BT = torch.ones(rows, length, dtype=torch.bool)
    place_BT = torch.arange(length).expand(rows, length)
    pieces = PieceBatch(torch.randint(0, 1000, (rows, length)), mask_BT, place_BT, torch.ones_like(place_BT))
    batch = TokenBatch(torch.full((rows,), length), mask_BT, torch.zeros_like(place_BT), make_forms([]), pieces)
    return torch.randn(rows, length, _WIDTH).to(device), batch.to(device)


@torch.inference_mode()
def time_once(encoder: nn.Module, x_BTD: Tensor, batch: TokenBatch, device: torch.device) -> float:
    """Seconds of one pass."""
    started = time.perf_counter()
    encoder(x_BTD if encoder_reads_words(encoder) else None, batch)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


def encoder_reads_words(encoder: nn.Module) -> bool:
    """Whether it wants embeddings, or pieces alone."""
    return not hasattr(encoder, "pool")


def table(costs: Mapping[str, list[float]], parameters: Mapping[str, int]) -> str:
    """Microseconds a token, in Markdown."""
    lines = ["| encoder | parameters | " + " | ".join(map(str, _LENGTHS)) + " |", "|---" * (len(_LENGTHS) + 2) + "|"]
    for name, row in costs.items():
        lines.append(f"| {name} | {parameters[name] / 1e6:.1f} M | " + " | ".join(f"{cost:.1f}" for cost in row) + " |")
    return "\n".join(lines) + "\n"


def plot(costs: Mapping[str, list[float]], path: Path) -> None:
    """The same as curves, both axes logarithmic."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5))
    for name, row in costs.items():
        axes.plot(_LENGTHS, row, marker="o", label=name)
    axes.set(xscale="log", yscale="log", xlabel="tokens in a sequence", ylabel="microseconds a token")
    axes.set_xticks(_LENGTHS, [str(length) for length in _LENGTHS])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    main()
