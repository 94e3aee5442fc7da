"""What every decoder promises."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from taggers.decoders import CRFDecoder, Decoder, DecoderKind, SoftmaxDecoder, build_decoder
from taggers.spans import Scheme, allowed_transitions, repair_tags, span_tags
from tests.taggers.decoders.cases import BIO, NOWHERE, TAGS, mask_of, random_scores, randomize

LENGTHS = [5, 1, 0, 7, 3]
MASK_BT = mask_of(LENGTHS, 8)
KINDS: tuple[DecoderKind, ...] = ("softmax", "crf")
every_kind = pytest.mark.parametrize("kind", KINDS)
every_garbage = pytest.mark.parametrize("garbage", [1e30, -1e30, torch.inf, torch.nan])

ADVERSARIAL = st.sampled_from([0.0, 1.0, -1.0, 1e-30, 40.0, -40.0, 1e4, 1e20, -1e20, 1e30, -1e30, 3e38, -3e38])


def made(kind: DecoderKind) -> SoftmaxDecoder | CRFDecoder:
    decoder = build_decoder(kind, labels=len(TAGS), transitions=BIO).double()
    randomize(decoder, seed=1)
    return decoder


def gold(scores_BTL: Tensor) -> Tensor:
    """Some legal labels, every third missing."""
    labels_BT, _ = SoftmaxDecoder(len(TAGS), transitions=BIO).decode(-scores_BTL, MASK_BT)
    missing_BT = torch.arange(labels_BT.numel()).view(labels_BT.shape) % 3 == 0
    return labels_BT.masked_fill(missing_BT, -1)


def with_padding(scores_BTL: Tensor, garbage: float) -> Tensor:
    return scores_BTL.masked_fill(~MASK_BT[..., None], garbage)


def loss_and_gradients(decoder: Decoder, scores_BTL: Tensor, labels_BT: Tensor) -> list[Tensor]:
    assert isinstance(decoder, nn.Module)
    scores_BTL = scores_BTL.clone().requires_grad_()
    loss = decoder.loss(scores_BTL, labels_BT, MASK_BT)
    return [loss.detach(), *torch.autograd.grad(loss, [scores_BTL, *decoder.parameters()])]


def test_build_decoder() -> None:
    softmax = build_decoder("softmax", labels=len(TAGS), transitions=BIO, label_smoothing=0.1)
    assert isinstance(softmax, SoftmaxDecoder)
    assert softmax.label_smoothing == 0.1
    assert isinstance(build_decoder("crf", labels=len(TAGS), transitions=None), CRFDecoder)


def test_build_decoder_of_unknown_kind() -> None:
    with pytest.raises(ValueError, match="unknown decoder 'beam'; there are: softmax, crf"):
        build_decoder("beam", labels=3)  # type: ignore[arg-type]


@every_kind
def test_transitions_of_another_label_set(kind: DecoderKind) -> None:
    with pytest.raises(ValueError, match="expected transitions of 7 labels, found 5"):
        build_decoder(kind, labels=7, transitions=BIO)


@every_kind
@every_garbage
def test_padding_changes_no_result(kind: DecoderKind, garbage: float) -> None:
    decoder, scores_BTL = made(kind), random_scores(MASK_BT, len(TAGS), seed=2)
    for clean, dirty in zip(
        decoder.decode(scores_BTL, MASK_BT), decoder.decode(with_padding(scores_BTL, garbage), MASK_BT), strict=True
    ):
        assert torch.equal(clean, dirty)


@every_kind
@every_garbage
def test_padding_changes_no_gradient(kind: DecoderKind, garbage: float) -> None:
    decoder, scores_BTL = made(kind), random_scores(MASK_BT, len(TAGS), seed=2)
    labels_BT = gold(scores_BTL)
    clean = loss_and_gradients(decoder, scores_BTL, labels_BT)
    dirty = loss_and_gradients(decoder, with_padding(scores_BTL, garbage), labels_BT.masked_fill(~MASK_BT, 10**6))
    for before, after in zip(clean, dirty, strict=True):
        assert torch.equal(before, after)
    assert not clean[1][~MASK_BT].any(), "padding has no gradient"


@every_kind
def test_padding_cells_come_out_as_zero(kind: DecoderKind) -> None:
    labels_BT, probability_BT = made(kind).decode(random_scores(MASK_BT, len(TAGS), seed=2, padding=1e30), MASK_BT)
    assert labels_BT.dtype == torch.int64
    assert not labels_BT[~MASK_BT].any()
    assert not probability_BT[~MASK_BT].any()
    assert (probability_BT[MASK_BT] > 0).all()


@every_kind
@pytest.mark.parametrize("seed", range(5))
def test_neighbors_do_not_matter(kind: DecoderKind, seed: int) -> None:
    decoder, scores_BTL = made(kind), random_scores(MASK_BT, len(TAGS), seed=seed, padding=1e30)
    labels_BT, probability_BT = decoder.decode(scores_BTL, MASK_BT)
    for index, length in enumerate(LENGTHS):
        alone_1T, alone_probability_1T = decoder.decode(scores_BTL[index, None, :length], mask_of([length]))
        assert labels_BT[index, :length].tolist() == alone_1T[0].tolist()
        torch.testing.assert_close(probability_BT[index, :length], alone_probability_1T[0], rtol=0, atol=1e-12)


@every_kind
def test_loss_is_the_mean_over_labelled_tokens_of_all_sentences(kind: DecoderKind) -> None:
    decoder, scores_BTL = made(kind), random_scores(MASK_BT, len(TAGS), seed=3)
    labels_BT = gold(scores_BTL)
    num_labelled_B = ((labels_BT >= 0) & MASK_BT).sum(1)
    alone = [decoder.loss(scores_BTL[i, None], labels_BT[i, None], MASK_BT[i, None]) for i in range(len(LENGTHS))]
    expected = (torch.stack(alone) * num_labelled_B).sum() / num_labelled_B.sum()
    torch.testing.assert_close(decoder.loss(scores_BTL, labels_BT, MASK_BT), expected, rtol=0, atol=1e-12)


@every_kind
def test_sentences_without_labels_cost_nothing(kind: DecoderKind) -> None:
    decoder, scores_BTL = made(kind), random_scores(MASK_BT, len(TAGS), seed=3)
    labels_BT = gold(scores_BTL)
    labels_BT[3] = -1
    _, gradient_BTL, *_ = loss_and_gradients(decoder, scores_BTL, labels_BT)
    assert not gradient_BTL[3].any()
    loss, *gradients = loss_and_gradients(decoder, scores_BTL, torch.full_like(labels_BT, -1))
    assert loss == 0
    assert not any(gradient.any() for gradient in gradients)


@every_kind
@pytest.mark.parametrize(("lengths", "num_tokens"), [([], 0), ([], 4), ([0], 0), ([0, 0], 3), ([0, 2], 2)])
def test_empty_batches_and_sentences(kind: DecoderKind, lengths: list[int], num_tokens: int) -> None:
    decoder, mask_BT = made(kind), mask_of(lengths, num_tokens)
    scores_BTL = random_scores(mask_BT, len(TAGS), seed=4).requires_grad_()
    labels_BT, probability_BT = decoder.decode(scores_BTL, mask_BT)
    assert labels_BT.shape == probability_BT.shape == mask_BT.shape
    loss = decoder.loss(scores_BTL, labels_BT, mask_BT)
    loss.backward()
    assert loss.isfinite()
    assert loss > 0 or not any(lengths)


@every_kind
@pytest.mark.parametrize("scheme", Scheme)
@given(data=st.data(), labels=st.lists(st.sampled_from(["PER", "LOC", "X"]), min_size=1, max_size=3, unique=True))
@settings(max_examples=40)
def test_never_decodes_an_illegal_sequence(
    kind: DecoderKind, scheme: Scheme, data: st.DataObject, labels: list[str]
) -> None:
    tags = span_tags(labels, scheme)
    decoder = build_decoder(kind, labels=len(tags), transitions=allowed_transitions(tags, scheme))
    randomize(decoder, seed=data.draw(st.integers(0, 9)))
    lengths = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))
    size = sum(lengths) * len(tags)
    values = data.draw(
        st.lists(data.draw(st.sampled_from([ADVERSARIAL, st.floats(-9, 9)])), min_size=size, max_size=size)
    )
    mask_BT = mask_of(lengths)
    scores_BTL = torch.full((*mask_BT.shape, len(tags)), torch.nan)
    scores_BTL[mask_BT] = torch.tensor(values).reshape(sum(lengths), len(tags))
    labels_BT, probability_BT = decoder.decode(scores_BTL, mask_BT)
    for row, length in zip(labels_BT.tolist(), lengths, strict=True):
        assert repair_tags([tags[label] for label in row[:length]], scheme)[1] == []
    assert ((probability_BT >= 0) & (probability_BT <= 1 + 1e-6)).all()


@every_kind
@pytest.mark.parametrize("scheme", Scheme)
def test_legal_sequences_are_left_as_they_are(kind: DecoderKind, scheme: Scheme) -> None:
    tags = span_tags(["A", "B"], scheme)
    decoder = build_decoder(kind, labels=len(tags), transitions=allowed_transitions(tags, scheme))
    written, _ = repair_tags([tags[i % len(tags)] for i in range(20)], scheme)
    labels_BT = torch.tensor([[tags.index(tag) for tag in written]])
    scores_BTL = 9.0 * nn.functional.one_hot(labels_BT, len(tags))
    assert torch.equal(decoder.decode(scores_BTL, mask_of([20]))[0], labels_BT)


@every_kind
@pytest.mark.parametrize("scale", [1.0, 1e30])
def test_where_nothing_is_legal_something_total_comes_back(kind: DecoderKind, scale: float) -> None:
    decoder = build_decoder(kind, labels=3, transitions=NOWHERE)
    scores_BTL = scale * random_scores(MASK_BT, 3, seed=5).float()
    labels_BT, probability_BT = decoder.decode(scores_BTL, MASK_BT)
    assert ((labels_BT >= 0) & (labels_BT < 3)).all()
    assert ((probability_BT >= 0) & (probability_BT <= 1 + 1e-6)).all()


@every_kind
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_scores_are_decoded_in_single(kind: DecoderKind, dtype: torch.dtype) -> None:
    decoder = build_decoder(kind, labels=len(TAGS), transitions=BIO)
    scores_BTL = random_scores(MASK_BT, len(TAGS), seed=6).to(dtype)
    labels_BT, probability_BT = decoder.decode(scores_BTL, MASK_BT)
    expected_BT, expected_probability_BT = decoder.decode(scores_BTL.float(), MASK_BT)
    assert torch.equal(labels_BT, expected_BT)
    assert torch.equal(probability_BT, expected_probability_BT)
    assert decoder.loss(scores_BTL, labels_BT, MASK_BT).dtype == torch.float32


@every_kind
def test_decoding_in_a_half_precision_model(kind: DecoderKind) -> None:
    decoder = build_decoder(kind, labels=len(TAGS), transitions=BIO).half()
    _, probability_BT = decoder.decode(random_scores(MASK_BT, len(TAGS), seed=6).half(), MASK_BT)
    assert (probability_BT[MASK_BT] > 0).all()


@every_kind
def test_transitions_are_not_stored_with_the_weights(kind: DecoderKind) -> None:
    decoder = made(kind)
    assert decoder.state_dict().keys() == dict(decoder.named_parameters()).keys()


@pytest.mark.parametrize("make", [lambda: made("softmax"), lambda: made("crf")], ids=KINDS)
def test_learning_by_gradient_descent(make: Callable[[], SoftmaxDecoder | CRFDecoder]) -> None:
    decoder, scores_BTL = make(), random_scores(MASK_BT, len(TAGS), seed=7).requires_grad_()
    labels_BT, _ = SoftmaxDecoder(len(TAGS), transitions=BIO).decode(-scores_BTL, MASK_BT)
    optimizer = torch.optim.Adam([scores_BTL, *decoder.parameters()], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        loss = decoder.loss(scores_BTL, labels_BT, MASK_BT)
        loss.backward()
        optimizer.step()
    assert loss < 1e-3
    decoded_BT, probability_BT = decoder.decode(scores_BTL, MASK_BT)
    assert torch.equal(decoded_BT, labels_BT)
    assert (probability_BT[MASK_BT] > 0.98).all()
