"""Each encoder and embedding against a second implementation: slow, plain, one sentence and one position at a time."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from taggers.batch import PieceBatch, TokenBatch, length_mask
from taggers.embeddings import CharacterEmbedding, StaticVectors
from taggers.encoders import BiLSTMEncoder, CNNEncoder, PretrainedEncoder, TransformerEncoder
from taggers.encoders.bilstm import Cell
from taggers.encoders.transformer import Pooling
from taggers.features import PieceTokenizer
from tests.tiny import randomize, tiny_labeler, write_tiny_bert

LENGTHS = (5, 1, 9, 3)
TOLERANCE = 1e-12


def batch_of(lengths: Sequence[int]) -> TokenBatch:
    """A batch that is nothing but its mask, for encoders that are given their input."""
    labeler, _ = tiny_labeler("cnn")
    return labeler.featurizer.batch([["x"] * length for length in lengths])


def random_input(width: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(len(LENGTHS), max(LENGTHS), width, generator=generator, dtype=torch.float64)


def made(encoder: nn.Module) -> nn.Module:
    torch.manual_seed(2)
    randomize(encoder)
    return encoder.double().eval()


def assert_rows_match(out_BTD: Tensor, rows: Sequence[Tensor]) -> None:
    for row, expected_TD in enumerate(rows):
        torch.testing.assert_close(out_BTD[row, : len(expected_TD)], expected_TD, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("input_width", [6, 10])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@torch.inference_mode()
def test_a_packed_recurrence_against_one_sentence_at_a_time(cell: Cell, input_width: int) -> None:
    encoder = made(BiLSTMEncoder(input_width, width=6, layers=2, cell=cell, dropout=0.3))
    x_BTD = random_input(input_width)
    rows = []
    for row, length in enumerate(LENGTHS):
        x_TD = encoder.project(x_BTD[row, :length])
        for recurrence in encoder.recurrences:
            x_TD = x_TD + recurrence(x_TD[None])[0][0]
        rows.append(x_TD)
    assert_rows_match(encoder(x_BTD, batch_of(LENGTHS)), rows)


@torch.inference_mode()
def test_the_backward_direction_starts_at_the_last_word() -> None:
    encoder = made(BiLSTMEncoder(6, width=6, layers=1, cell="lstm", dropout=0.0))
    x_BTD = random_input(6)
    recurrence = encoder.recurrences[0]
    backward = nn.LSTM(6, 3, batch_first=True).double()
    for name, parameter in backward.named_parameters():
        parameter.copy_(getattr(recurrence, f"{name}_reverse"))
    for row, length in enumerate(LENGTHS):
        reversed_TD, _ = backward(x_BTD[row, :length].flip(0)[None])
        expected_TD = x_BTD[row, :length, 3:] + reversed_TD[0].flip(0)
        torch.testing.assert_close(
            encoder(x_BTD, batch_of(LENGTHS))[row, :length, 3:], expected_TD, rtol=0, atol=TOLERANCE
        )


def convolved(x_TD: Tensor, weight_OIK: Tensor, bias_O: Tensor, *, dilation: int = 1) -> Tensor:
    """A convolution by its definition; positions outside the sequence are zeros."""
    half = weight_OIK.shape[2] // 2
    rows = []
    for t in range(len(x_TD)):
        total_O = bias_O.clone()
        for k in range(weight_OIK.shape[2]):
            place = t + dilation * (k - half)
            if 0 <= place < len(x_TD):
                total_O += weight_OIK[:, :, k] @ x_TD[place]
        rows.append(total_O)
    return torch.stack(rows)


def normed(x_TD: Tensor, norm: nn.LayerNorm) -> Tensor:
    centered_TD = x_TD - x_TD.mean(-1, keepdim=True)
    return centered_TD / (centered_TD.square().mean(-1, keepdim=True) + norm.eps).sqrt() * norm.weight + norm.bias


@pytest.mark.parametrize(("kernel", "dilations"), [(1, (1,)), (3, (1, 2, 4)), (5, (1, 1))])
@torch.inference_mode()
def test_the_convolutional_encoder_against_its_definition(kernel: int, dilations: tuple[int, ...]) -> None:
    encoder = made(CNNEncoder(4, width=6, kernel=kernel, dilations=dilations, dropout=0.2))
    x_BTD = random_input(4)
    rows = []
    for row, length in enumerate(LENGTHS):
        x_TD = encoder.project(x_BTD[row, :length])
        for block, dilation in zip(encoder.blocks, dilations, strict=True):
            y_TD = convolved(
                normed(x_TD, block.norm), block.convolution.weight, block.convolution.bias, dilation=dilation
            )
            x_TD = x_TD + y_TD[:, :6] / (1 + (-y_TD[:, 6:]).exp())
        rows.append(normed(x_TD, encoder.norm))
    assert_rows_match(encoder(x_BTD, batch_of(LENGTHS)), rows)


def attended(x_TD: Tensor, block: nn.Module, *, heads: int) -> Tensor:
    """Multi-head self-attention, head by head and position by position."""
    D = x_TD.shape[1]
    K = D // heads
    q_TD, k_TD, v_TD = (x_TD @ block.query_key_value.weight.T + block.query_key_value.bias).split(D, dim=1)
    out_TD = torch.zeros_like(x_TD)
    for head in range(heads):
        own = slice(head * K, (head + 1) * K)
        for t in range(len(x_TD)):
            weight_T = torch.stack([q_TD[t, own] @ k_TD[s, own] / math.sqrt(K) for s in range(len(x_TD))]).exp()
            out_TD[t, own] = (weight_T / weight_T.sum()) @ v_TD[:, own]
    return out_TD


@torch.inference_mode()
def test_the_transformer_from_scratch_against_its_definition() -> None:
    width, heads = 8, 2
    encoder = made(TransformerEncoder(4, width=width, layers=2, heads=heads, dropout=0.1))
    x_BTD = random_input(4)
    rows = []
    for row, length in enumerate(LENGTHS):
        positions_TD = torch.zeros(length, width, dtype=torch.float64)
        for t in range(length):
            for d in range(width // 2):
                angle = t / 10_000 ** (2 * d / width)
                positions_TD[t, d], positions_TD[t, d + width // 2] = math.sin(angle), math.cos(angle)
        x_TD = encoder.project(x_BTD[row, :length]) + positions_TD
        for block in encoder.blocks:
            attention_TD = attended(normed(x_TD, block.attention_norm), block, heads=heads)
            x_TD = x_TD + block.attention_out(attention_TD)
            inner = block.feed_in(normed(x_TD, block.feed_norm))
            x_TD = x_TD + block.feed_out(inner * (1 + torch.erf(inner / math.sqrt(2))) / 2)
        rows.append(normed(x_TD, encoder.norm))
    out_BTD = encoder(x_BTD, batch_of(LENGTHS))
    # The positions are made in float32.
    for row, expected_TD in enumerate(rows):
        torch.testing.assert_close(out_BTD[row, : len(expected_TD)], expected_TD, rtol=0, atol=1e-4)


SENTENCES = (
    ["Ada", "wrote", "to", "London", "."],
    ["\x07"],
    ["\u200b", "unheard", "\x00", "isn't", "Ada", "\u200b"],
    ["antidisestablishmentarianism", "!"],
)


@pytest.mark.parametrize("pooling", ["first", "mean"])
@torch.inference_mode()
def test_the_pretrained_encoder_against_a_plain_call(pooling: Pooling, tmp_path: Path) -> None:
    from transformers import AutoModel, AutoTokenizer

    labeler, _ = tiny_labeler("pretrained", folder=tmp_path)
    ours = labeler.network.encoder.double()
    assert isinstance(ours, PretrainedEncoder)
    ours.pooling = pooling
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model = AutoModel.from_pretrained(tmp_path, add_pooling_layer=False).double().eval()
    model.load_state_dict(ours.model.state_dict())  # a tiny labeler's are not those of its folder
    batch = labeler.featurizer.batch(SENTENCES)
    out_BTD = ours(None, batch)
    num_without = 0
    for row, words in enumerate(SENTENCES):
        encoded = tokenizer(words, is_split_into_words=True, return_tensors="pt")
        states_PE = model(**encoded).last_hidden_state[0]
        owners = encoded.word_ids()
        for position in range(len(words)):
            own = [p for p, word in enumerate(owners) if word == position]
            num_without += not own
            if not own:
                expected_E = ours.no_piece
            elif pooling == "first":
                expected_E = states_PE[own[0]]
            else:
                expected_E = torch.stack([states_PE[p] for p in own]).sum(0) / len(own)
            torch.testing.assert_close(out_BTD[row, position], expected_E, rtol=0, atol=TOLERANCE)
    assert num_without == 4
    assert ours.no_piece.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@torch.inference_mode()
def test_mean_pooling_loses_no_more_than_rounding_over_a_long_sequence(dtype: torch.dtype) -> None:
    encoder = PretrainedEncoder(nn.Identity(), 4, feature_width=0, pooling="mean", dropout=0.0)
    count_BT = torch.arange(600).remainder(3)[None] + 1
    first_BT = count_BT.cumsum(1) - count_BT
    length = int(count_BT.sum())
    states_BPE = (torch.randn(1, length, 4, generator=torch.Generator().manual_seed(3)) + 1).to(dtype)
    pieces = PieceBatch(torch.zeros(1, length, dtype=torch.int64), length_mask([length]), first_BT, count_BT)
    words_BTE = encoder.pool(states_BPE, pieces)
    exact_TE = torch.stack(
        [states_BPE[0, f : f + n].double().mean(0) for f, n in zip(first_BT[0], count_BT[0], strict=True)]
    )
    error = (words_BTE[0].double() - exact_TE).abs()
    assert (error <= torch.finfo(dtype).eps * exact_TE.abs() + 1e-9).all()


def test_a_word_has_the_same_pieces_in_any_sentence(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    labeler, _ = tiny_labeler("pretrained", folder=write_tiny_bert(tmp_path))
    tokenizer = labeler.featurizer.tokenizer
    assert isinstance(tokenizer, PieceTokenizer)
    plain = AutoTokenizer.from_pretrained(tmp_path)
    for words in SENTENCES:
        expected = plain(words, is_split_into_words=True)["input_ids"]
        pieces = [piece for word in words for piece in tokenizer.pieces(word)]
        assert [*tokenizer.prefix, *pieces, *tokenizer.suffix] == expected


@torch.inference_mode()
def test_the_character_convolution_against_its_definition() -> None:
    embedding = CharacterEmbedding(9, 4, filters=5, kernel=3).double()
    torch.manual_seed(4)
    randomize(embedding)
    forms = ([2, 5, 3, 8], [4], [], [1, 1, 7])
    ids_FC = torch.zeros(len(forms), 6, dtype=torch.int64)
    for row, characters in enumerate(forms):
        ids_FC[row, : len(characters)] = torch.tensor(characters)
    out_FW = embedding(ids_FC)
    for row, characters in enumerate(forms):
        expected_W = torch.zeros(5, dtype=torch.float64)
        if characters:
            x_CW = embedding.table.weight[torch.tensor(characters)]
            y_CW = convolved(x_CW, embedding.convolution.weight, embedding.convolution.bias)
            expected_W = y_CW.max(0).values.clamp_min(0)
        torch.testing.assert_close(out_FW[row], expected_W, rtol=0, atol=TOLERANCE)


@given(st.lists(st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3), min_size=1, max_size=5))
@example([[0.0, 943.0, 271.46875]])
@settings(max_examples=60)
def test_quantized_vectors_are_off_by_half_a_step_at_most(rows: list[list[float]]) -> None:
    vectors = torch.tensor(rows)
    table = StaticVectors.quantized(vectors)
    found = table(torch.arange(len(rows)) + 2)
    step = vectors.abs().amax(1, keepdim=True) / 127 * (1 + 2**-8)  # as it is stored, rounded to 8 bits
    assert ((found - vectors).abs() <= step * (0.5 + 1e-4) + 1e-12).all()
    assert not table(torch.tensor([0, 1])).any(), "padding and the unknown word"
    largest = vectors.abs().argmax(1, keepdim=True)
    torch.testing.assert_close(found.gather(1, largest), vectors.gather(1, largest), rtol=2**-8, atol=1e-11)
