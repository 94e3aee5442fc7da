"""In how many bits a loaded model computes: 32, or 16 where the device is faster so and the answers stay what they are.

Only the encoder is reduced (see ``encoders/reduced.py``); features, heads and decoders stay in float32. It is tried on
a text before it is used: a network may have numbers that 16 bits cannot hold, and a device a kernel that is wrong.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import torch

from taggers.checkpoint import Model
from taggers.config import Precision
from taggers.encoders.cnn import CNNEncoder
from taggers.encoders.reduced import ReducedEncoder
from taggers.encoders.transformer import PretrainedEncoder, TransformerEncoder
from taggers.errors import ModelError
from taggers.labeler import Chunk, Labeler, Labels

Used = Literal["fp32", "bf16", "fp16"]

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_FASTER = (CNNEncoder, TransformerEncoder, PretrainedEncoder)
"""Encoders that 16 bits make faster, and whose answers have been measured; a BiLSTM's have not."""

_MAX_CHANGED = 0.005
"""The share of the sample's labels that may be others: those that were a toss-up before."""
_MAX_DRIFT = 0.005
"""The mean difference of a label's probability; good models have 0.0001."""

_SAMPLES: Mapping[str, str] = {
    "en": """\
Ada Lovelace wrote to Charles Babbage in London in 1843, but he didn't write back. "Why should I hurry?" he asked \
his friends at the Royal Society. The engine was larger than the house that they had rented near Oxford Street, and \
nobody knew what it would cost.

The weather has been awful since Monday; we're staying at a small hotel in Lyon, where the coffee is good. Please send \
the three reports to anna@example.com before noon, or call Mr. Okafor at the Nairobi office of Acme Shipping Ltd.

Most birds that winter by the river leave early in spring. If they stay, farmers put nets over the younger trees, \
which costs them about $40 each. Thanks a lot, guys :)
""",
    "vi": """\
Hôm qua chị Lan gửi cho tôi ba bản báo cáo từ Hà Nội. Trời mưa suốt tuần, nên chúng tôi ở lại khách sạn nhỏ gần bờ \
sông và uống cà phê. Anh Minh hỏi: "Vì sao tàu lại đến muộn như vậy?" Không ai biết câu trả lời.

Những người nông dân trong làng trồng lúa và cây ăn quả. Năm ngoái họ bán được hơn 40 tấn xoài cho một công ty ở thành \
phố Hồ Chí Minh, nhưng giá năm nay thấp hơn nhiều.
""",
    "ja": """\
昨日、田中さんは東京から三つの報告書を送ってくれました。一週間ずっと雨が降っていたので、私たちは川の近くの小さな\
ホテルに泊まって、コーヒーを飲んでいました。「なぜ電車はこんなに遅れたのですか」と彼は聞きましたが、誰も答えを\
知りませんでした。

村の農家は米と果物を育てています。去年は大阪の会社に四十トンのみかんを売りましたが、今年の値段はずっと安いそうです。
""",
}

logger = logging.getLogger("tagline")


def choose_precision(model: Model, wanted: Precision = "auto") -> Used:
    """Let the model's encoders compute in 16 bits, where that is wanted, faster and harmless.

    Args:
        model: A model just loaded. What is wanted and turns out to change its answers is not done, and the log says so.
        wanted: The precision.

    Returns:
        That of the tagger from now on.

    Raises:
        ModelError: The device has no kernels for what is wanted.
    """
    used = find_precision(wanted, model.tagger.device)
    if used == "fp32":
        return used
    text = _SAMPLES.get(model.manifest.language, _SAMPLES["en"])
    sentences: Sequence[Sequence[str]] = [line.split() for line in text.splitlines() if line]
    if model.segmenter is not None:
        sentences = [sentence.words for sentence in model.segmenter.segment([text])[0]]
        pieces = [*model.segmenter.read(text).chunks()]
        _reduce(model.segmenter.labeler, used, pieces, f"{model.manifest.name}: the segmenter")
    chunks = [chunk for words in sentences for chunk in model.tagger.chunks(words)]
    reduced = _reduce(model.tagger, used, chunks, f"{model.manifest.name}: the tagger")
    return used if reduced else "fp32"


def find_precision(wanted: Precision, device: torch.device) -> Used:
    """What is wanted of a device; ``auto`` is bf16 where the device has instructions for it, on other GPUs fp16.

    Raises:
        ModelError: The device has no instructions for it.
    """
    if wanted == "fp32":
        return "fp32"
    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        if wanted == "bf16" and not has_bf16:
            raise ModelError("precision bf16: this GPU computes it no faster than fp32; expected auto, fp32 or fp16")
        return "fp16" if wanted == "fp16" or not has_bf16 else "bf16"
    # The kernels are oneDNN's. It computes both on other CPUs, too, but not faster than float32.
    known = torch.backends.mkldnn.is_available() and hasattr(torch.cpu, "get_capabilities")  # type: ignore[no-untyped-call]
    capabilities = torch.cpu.get_capabilities() if known else {}
    native = {kind: bool(capabilities.get(f"avx512_{kind}")) for kind in _DTYPES}
    if wanted == "auto":
        return "bf16" if native["bf16"] else "fp32"
    if not native[wanted]:
        raise ModelError(f"precision {wanted}: this CPU has no instructions for it; expected auto or fp32")
    return wanted


def _reduce(labeler: Labeler, used: Used, chunks: Sequence[Chunk], name: str) -> bool:
    """Whether the encoder computes in 16 bits from now on."""
    full = labeler.network.encoder
    if not isinstance(full, _FASTER):
        return False
    before = labeler.label(chunks)
    labeler.network.encoder = ReducedEncoder(full, _DTYPES[used])
    try:
        problem = _compare(before, labeler.label(chunks))
    except RuntimeError as error:  # torch's for a kernel or a pair of types that it lacks
        problem = str(error)
    if problem is None:
        logger.info("%s computes in %s", name, used)
        return True
    labeler.network.encoder = full
    logger.warning("%s stays in fp32, for %s does not give the same answers: %s", name, used, " ".join(problem.split()))
    return False


def _compare(before: Sequence[Labels], after: Sequence[Labels]) -> str | None:
    """What is wrong with the answers after, in words; None if nothing is."""
    pairs = [(one[task], other[task]) for one, other in zip(before, after, strict=True) for task in one]
    changed = np.mean(np.concatenate([ids != other_ids for (ids, _), (other_ids, _) in pairs]))
    drift = np.mean(np.concatenate([np.abs(p - q) for (_, p), (_, q) in pairs]))
    if changed <= _MAX_CHANGED and drift <= _MAX_DRIFT:  # false for NaN, too
        return None
    return f"{changed:.1%} of a sample's labels are others, and probabilities differ by {drift:.3f}"
