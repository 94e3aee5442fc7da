"""Configs refuse what cannot work, with a message that says what was found, and come back from JSON as they were."""

from typing import Any

import pytest
from pydantic import ValidationError

from taggers.config import (
    AffixConfig,
    BiLSTMConfig,
    CharacterConfig,
    CNNConfig,
    FeatureConfig,
    NetworkConfig,
    ShapeConfig,
    TaskConfig,
    TransformerConfig,
    VectorConfig,
    WordConfig,
)

CNN = {"type": "cnn", "width": 4}
WORDS = {"words": {"width": 4}}
TASKS = {"upos": {}}


def network(**values: Any) -> NetworkConfig:
    return NetworkConfig.model_validate({"features": WORDS, "encoder": CNN, "tasks": TASKS, **values})


@pytest.mark.parametrize(
    ("encoder", "kind"),
    [
        ({"type": "bilstm", "cell": "gru", "layers": 1}, BiLSTMConfig),
        ({"type": "cnn", "dilations": [1, 2, 4]}, CNNConfig),
        ({"type": "transformer", "width": 64, "layers": 2, "heads": 4}, TransformerConfig),
        ({"type": "transformer", "pretrained": "some/where", "pooling": "mean"}, TransformerConfig),
    ],
)
def test_each_encoder_by_its_type_and_back(encoder: dict[str, Any], kind: type) -> None:
    config = network(encoder=encoder)
    assert isinstance(config.encoder, kind)
    assert NetworkConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"encoder": {"type": "rnn"}}, "does not match any of the expected tags"),
        ({"encoder": {**CNN, "depth": 3}}, "Extra inputs are not permitted"),
        ({"encoder": {"type": "bilstm", "width": 5}}, "width must be even, half for each direction; found 5"),
        ({"encoder": {**CNN, "kernel": 4}}, "kernel must be odd, so that a word stands in its middle; found 4"),
        ({"encoder": {**CNN, "dropout": 1.0}}, "less than 1"),
        ({"encoder": {**CNN, "width": 0}}, "greater than 0"),
        ({"encoder": {**CNN, "width": 100_000}}, "less than or equal to 65536"),
        ({"encoder": {**CNN, "dilations": [2000]}}, "less than or equal to 1024"),
        ({"encoder": {"type": "bilstm", "layers": 129}}, "less than or equal to 128"),
        ({"encoder": {"type": "transformer", "width": 8}}, "needs width, layers and heads; or give pretrained"),
        ({"encoder": {"type": "transformer", "pretrained": "x", "heads": 2}}, "has its own heads: leave them out"),
        (
            {"encoder": {"type": "transformer", "width": 12, "layers": 1, "heads": 4}},
            "width must be a multiple of 2 * heads; found 12 and 4",
        ),
        ({"encoder": {"type": "transformer", "pretrained": ""}}, "at least 1 character"),
        ({"features": {"characters": {"kernel": 2}}}, "so that a character stands in its middle; found 2"),
        ({"features": {}}, "at least one feature of word forms is needed"),
        ({"tasks": {}}, "at least 1 item"),
        ({"tasks": {"a.b": {}}}, "should match pattern"),
        ({"tasks": {"": {}}}, "at least 1 character"),
        ({"tasks": {"upos": {"weight": 0}}}, "greater than 0"),
        ({"tasks": {"ner": {"type": "span", "scheme": "IOB1"}}}, "Input should be 'BIO' or 'BIOES'"),
        ({"window": 64, "margin": 32}, "window must be more than twice the margin; found 64 and 32"),
        ({"units": "syllables", "lookahead": 1}, "lookahead is of characters"),
        (
            {"encoder": {"type": "transformer", "pretrained": "x"}, "tasks": {"boundaries": {"type": "boundaries"}}},
            'not characters: set units = "syllables"',
        ),
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as caught:
        network(**values)
    assert problem in str(caught.value)


def test_a_pretrained_encoder_needs_no_features() -> None:
    assert not network(features={}, encoder={"type": "transformer", "pretrained": "x"}).features.any


@pytest.mark.parametrize(
    "feature",
    [
        {"words": WordConfig()},
        {"prefixes": AffixConfig()},
        {"suffixes": AffixConfig()},
        {"shape": ShapeConfig()},
        {"characters": CharacterConfig()},
        {"vectors": VectorConfig(source="x")},
    ],
)
def test_any_feature_is_one(feature: dict[str, Any]) -> None:
    assert FeatureConfig(**feature).any


@pytest.mark.parametrize(
    ("kernel", "dilations", "radius"), [(3, (1,), 1), (3, (1, 2, 4), 7), (5, (1, 1), 4), (1, (3,), 0)]
)
def test_the_radius_of_a_convolution(kernel: int, dilations: tuple[int, ...], radius: int) -> None:
    assert CNNConfig(type="cnn", kernel=kernel, dilations=dilations).radius == radius


@pytest.mark.parametrize(("source", "layer"), [("conllu:upos", "upos"), ("upos", "upos"), (None, None)])
def test_where_a_task_comes_from(source: str | None, layer: str | None) -> None:
    assert TaskConfig.model_validate({"from": source}).layer == layer
    assert TaskConfig(source=source).layer == layer


def test_configs_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        network().window = 3
