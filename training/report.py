"""The model card: ``README.md`` of a model folder, in the style of the Hugging Face Hub.

YAML front matter for machines, then for people: what the model is, how to use it, its data with attribution, its scores
with the command that measured each, how it was trained, and its limits.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.scores import Scores

CARD_FILE = "README.md"
TOPICS = {"upos": "part-of-speech", "ufeats": "morphology", "lemma": "lemmatization", "ner": "named-entity-recognition"}


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data set that the model learned from; ``attribution`` is the sentence that its license asks for."""

    name: str
    license: str
    url: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Scores on one split of one data set; ``command`` measures them again."""

    data: str
    split: str
    conditions: str
    scores: Scores
    command: str


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What a card tells.

    Attributes:
        name: The model's name, with its ISO 639-1 code in ``language``.
        license: The SPDX identifier of the weights' license.
        description: What the model does, in a sentence or two.
        encoder: What the network is, in a sentence or two.
        data: The data sets it learned from.
        scores: Its scores.
        training_seconds: How long training took.
        training_machine: On what, for the reader to judge the time by ("2 CPU cores").
        num_parameters: The number of trained weights.
        limits: What not to expect of it, in Markdown.
    """

    name: str
    language: str
    license: str
    description: str
    encoder: str
    data: Sequence[DataSource]
    scores: Sequence[Measurement]
    training_seconds: float
    num_parameters: int
    limits: str
    training_machine: str = ""


def write_card(folder: Path, facts: CardFacts) -> Path:
    """Write the card into a model folder that exists, over the one that may be there; returns its path."""
    path = folder / CARD_FILE
    path.write_text(card_text(facts), encoding="utf-8", newline="\n")
    return path


def card_text(facts: CardFacts) -> str:
    """The card as one text."""
    sections = [
        _front_matter(facts),
        f"# {facts.name}",
        facts.description,
        "## How to use it",
        _usage(facts.name),
        "## Data and attribution",
        "\n".join(f"- [{d.name}]({d.url}), {d.license}. {d.attribution}".rstrip() for d in facts.data),
        f"The weights are given under {facts.license}.",
        "## Scores",
        *(part for measurement in facts.scores for part in _measurement(measurement)),
        "## How it was trained",
        _training(facts),
        "## Limits",
        facts.limits.strip(),
    ]
    return "\n\n".join(sections) + "\n"


def _front_matter(facts: CardFacts) -> str:
    scores = [measurement.scores for measurement in facts.scores]
    scored = {key for one in scores for key in (*one.layers, *one.spans)}
    uses = {"accuracy": any(one.layers for one in scores), "f1": any(one.spans or one.segmentation for one in scores)}
    lines = ["---", f"language: {_yaml(facts.language)}", f"license: {_yaml(facts.license.lower())}"]
    lines += ["library_name: tagline", "pipeline_tag: token-classification"]
    for key, values in (
        ("tags", ["tagline", *(topic for key, topic in TOPICS.items() if key in scored)]),
        ("datasets", [source.name for source in facts.data]),
        ("metrics", [metric for metric, used in uses.items() if used]),
    ):
        lines += [f"{key}:", *(f"- {_yaml(value)}" for value in values)] if values else [f"{key}: []"]
    return "\n".join([*lines, "---"])


def _usage(name: str) -> str:
    python = [
        "import taggers",
        "",
        f"tagger = taggers.load({json.dumps(name)})",
        'document = tagger("Ada Lovelace wrote to Babbage in London.")',
    ]
    return "\n".join(["```sh", f"tagline tag letter.txt --model {name}", "```", "", "```python", *python, "```"])


def _measurement(measurement: Measurement) -> tuple[str, ...]:
    scores = measurement.scores
    return (
        f"### {measurement.data}, {measurement.split}: {measurement.conditions}",
        _table(("layer", "precision", "recall", "score", "convention"), scores.rows()),
        f"{scores.tokens:,} tokens in {scores.sentences:,} sentences, measured by",
        f"```sh\n{measurement.command}\n```",
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _training(facts: CardFacts) -> str:
    minutes, seconds = divmod(round(facts.training_seconds), 60)
    where = f" on {facts.training_machine}" if facts.training_machine else ""
    return (
        f"{facts.encoder.rstrip()} {facts.num_parameters:,} weights, trained in {minutes} min {seconds} s{where} by"
        " `tagline train` with the configuration in this folder."
    )


def _yaml(value: str) -> str:
    """A YAML scalar: JSON strings are valid ones, and need no rule for colons, quotes or ``no``."""
    return json.dumps(value, ensure_ascii=False)
