"""An ``encoder.json`` from anywhere: it is the architecture of the weights, or refused; it never runs code."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.folders import change, load, refusal, scores, use
from tests.strategies import json_values


@pytest.mark.parametrize(
    "values",
    [
        {"model_type": None},
        {"model_type": ["bert"]},
        {"model_type": "no-such-thing"},
        {"model_type": "timm_wrapper", "architecture": "hf-hub:some/where"},
        {"model_type": "encoder-decoder", "auto_map": {"AutoModel": "some--where.Model"}},
        {"model_type": "gpt2"},
        {"hidden_size": 0},
        {"hidden_size": "16"},
        {"hidden_size": 10**9},
        {"vocab_size": 10**12},
        {"num_hidden_layers": 10**9},
        {"num_attention_heads": 0},
        {"hidden_act": "os.system"},
        {"max_position_embeddings": 32},
    ],
)
def test_an_architecture_that_is_not_the_weights(pretrained_folder: Path, values: dict[str, Any]) -> None:
    problem = refusal(change(pretrained_folder, lambda encoder: encoder.update(values), "encoder.json"))
    assert "encoder.json" in problem or "does not fit" in problem


def test_nothing_in_an_architecture_names_code_that_is_fetched_or_run(
    pretrained_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = scores(load(pretrained_folder).tagger)
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked for leave to run code"))
    hostile = {
        "auto_map": {"AutoModel": "some--where.Model", "AutoConfig": "some--where.Config"},
        "attn_implementation": "kernels-community/flash-attn",
        "_attn_implementation": "kernels-community/flash-attn",
        "_attn_implementation_internal": "some/where",
        "experts_implementation": "some/where",
        "_name_or_path": "some/where",
        "name_or_path": "some/where",
        "quantization_config": {"quant_method": "gptq"},
        "dtype": "float16",
        "num_labels": 10**6,
        "chunk_size_feed_forward": 3,
        "__class__": 3,
        "unheard_of": 3,
    }
    model = load(change(pretrained_folder, lambda encoder: encoder.update(hostile), "encoder.json"))
    for task, scores_BTL in scores(model.tagger).items():
        assert torch.equal(scores_BTL, plain[task])


@settings(max_examples=30)
@given(data=st.data())
def test_any_other_architecture_is_refused_or_harmless(
    pristine_pretrained: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp() / "valued-encoder"
    if not folder.exists():
        shutil.copytree(pristine_pretrained, folder)
    content = json.loads((pristine_pretrained / "encoder.json").read_text("utf-8"))
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(json_values())
    (folder / "encoder.json").write_text(json.dumps(content), "utf-8")
    use(folder)
