from dataclasses import replace

import pytest
import yaml

from training.report import CardFacts, DataSource, Measurement, write_card
from training.scores import PRF, Scores, SpanConvention, SpanScores

SPANS = SpanScores(PRF.from_counts(correct=1, predicted=2, gold=4), {}, SpanConvention.STRICT)
FACTS = CardFacts(
    name="no-cnn",
    address="runs/no cnn",
    language="no",
    license="CC-BY-SA-4.0",
    description="Tags Norwegian.",
    encoder="Four convolutions.",
    data=[DataSource("Treebank: first", "CC-BY-SA-4.0", "https://example.org/a", "By A | B.")],
    scores=[
        Measurement("Treebank", "test", "gold tokens", Scores(1234, 20, {"upos": 0.951}), "tagline evaluate no-cnn a"),
        Measurement("Names", "test", "gold tokens", Scores(10, 2, spans={"ner": SPANS}), "tagline evaluate no-cnn b"),
    ],
    training_seconds=3671.4,
    num_parameters=1_200_000,
    limits="Prose only.\n",
    training_machine="2 CPU cores",
)


def test_the_front_matter_is_yaml_that_the_hub_understands(tmp_path):
    _, front, body = write_card(tmp_path, FACTS).read_text(encoding="utf-8").split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["language"] == "no"  # not the YAML boolean
    assert front["license"] == "cc-by-sa-4.0"
    assert front["datasets"] == ["Treebank: first"]
    assert front["tags"] == ["tagline", "part-of-speech", "named-entity-recognition"]
    assert front["metrics"] == ["accuracy", "f1"]
    assert front["pipeline_tag"] == "token-classification"
    assert body.startswith("\n# no-cnn\n")


def test_every_section_is_there_in_order(tmp_path):
    body = write_card(tmp_path, FACTS).read_text(encoding="utf-8")
    titles = [line for line in body.splitlines() if line.startswith("## ")]
    assert titles == [
        "## How to use it",
        "## Data and attribution",
        "## Scores",
        "## How it was trained",
        "## Limits",
    ]


def test_each_score_stands_with_its_command(tmp_path):
    body = write_card(tmp_path, FACTS).read_text(encoding="utf-8")
    first, second = body.split("### ")[1:]
    assert "| upos |  |  | 95.10% | accuracy |" in first
    assert "1,234 tokens in 20 sentences" in first
    assert "tagline evaluate no-cnn a" in first
    assert "| ner | 50.00% | 25.00% | 33.33% | F1 (strict) |" in second
    assert "tagline evaluate no-cnn b" in second


def test_attribution_training_and_limits_are_told(tmp_path):
    body = write_card(tmp_path, FACTS).read_text(encoding="utf-8")
    assert "- [Treebank: first](https://example.org/a), CC-BY-SA-4.0. By A | B." in body
    assert "Four convolutions. 1,200,000 weights, trained in 61 min 11 s on 2 CPU cores" in body
    assert body.endswith("## Limits\n\nProse only.\n")


def test_commands_call_the_model_by_its_address(tmp_path):
    body = write_card(tmp_path, FACTS).read_text(encoding="utf-8")
    assert "tagline tag letter.txt --model 'runs/no cnn'\n" in body
    assert 'taggers.load("runs/no cnn")' in body


def test_what_is_not_told_leaves_no_trace(tmp_path):
    bare = replace(FACTS, license="", description="", limits="", scores=[], data=[DataSource("My UD", "", "", "")])
    _, front, body = write_card(tmp_path, bare).read_text(encoding="utf-8").split("---\n", 2)
    assert "license" not in front
    assert [line for line in body.splitlines() if line.startswith("#")] == [
        "# no-cnn",
        "## How to use it",
        "## Data and attribution",
        "## Scores",
        "## How it was trained",
    ]
    assert "## Data and attribution\n\n- My UD.\n\n## Scores\n" in body
    assert "Not measured yet" in body
    assert "\ntagline card 'runs/no cnn'\n" in body
    assert "## Data" not in write_card(tmp_path, replace(bare, data=[])).read_text(encoding="utf-8")


def test_a_card_is_rewritten_in_place_and_needs_its_folder(tmp_path):
    (tmp_path / "README.md").write_text("old", encoding="utf-8")
    assert "old" not in write_card(tmp_path, FACTS).read_text(encoding="utf-8").splitlines()
    with pytest.raises(FileNotFoundError):
        write_card(tmp_path / "absent", FACTS)
