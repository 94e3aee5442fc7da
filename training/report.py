"""The model card: ``README.md`` of a model folder, in the style of the Hugging Face Hub.

YAML front matter for machines, then for people: what the model is, how to use it, its data with attribution, its scores
with the command that measured each, how it was trained, and its limits.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

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
        address: What commands call it: its name if it is bundled, else its folder.
        license: The SPDX identifier of the weights' license. What is empty, of it and of other texts, is left out.
        description: What the model does, in a sentence or two.
        encoder: What the network is, in a sentence or two.
        data: The data sets it learned from.
        scores: Its scores; none before it was measured.
        training_seconds: How long training took.
        training_machine: On what, for the reader to judge the time by ("2 CPU cores").
        num_parameters: The number of trained weights.
        limits: What not to expect of it, in Markdown.
    """

    name: str
    address: str
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
    terms = f"The weights are given under {facts.license}." if facts.license else ""
    measured = [part for measurement in facts.scores for part in _measurement(measurement)]
    sections = [
        _front_matter(facts),
        f"# {facts.name}",
        facts.description,
        *_section("How to use it", _usage(facts.address)),
        *_section("Data and attribution", "\n".join(map(_source, facts.data)), terms),
        *_section("Scores", *(measured or _unmeasured(facts.address))),
        *_section("How it was trained", _training(facts)),
        *_section("Limits", facts.limits.strip()),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def _section(title: str, *parts: str) -> list[str]:
    return [f"## {title}", *parts] if any(parts) else []


def _front_matter(facts: CardFacts) -> str:
    scores = [measurement.scores for measurement in facts.scores]
    scored = {key for one in scores for key in (*one.layers, *one.spans)}
    uses = {"accuracy": any(one.layers for one in scores), "f1": any(one.spans or one.segmentation for one in scores)}
    lines = ["---", f"language: {_yaml(facts.language)}"]
    lines += [f"license: {_yaml(facts.license.lower())}"] if facts.license else []
    lines += ["library_name: tagline", "pipeline_tag: token-classification"]
    for key, values in (
        ("tags", ["tagline", *(topic for key, topic in TOPICS.items() if key in scored)]),
        ("datasets", [source.name for source in facts.data]),
        ("metrics", [metric for metric, used in uses.items() if used]),
    ):
        lines += [f"{key}:", *(f"- {_yaml(value)}" for value in values)] if values else [f"{key}: []"]
    return "\n".join([*lines, "---"])


def _usage(address: str) -> str:
    python = [
        "import taggers",
        "",
        f"tagger = taggers.load({json.dumps(address)})",
        'document = tagger("Ada Lovelace wrote to Babbage in London.")',
    ]
    command = f"tagline tag letter.txt --model {quote(address)}"
    return "\n".join(["```sh", command, "```", "", "```python", *python, "```"])


def _source(data: DataSource) -> str:
    name = f"[{data.name}]({data.url})" if data.url else data.name
    return f"- {', '.join(filter(None, (name, data.license)))}. {data.attribution}".rstrip()


def _unmeasured(address: str) -> tuple[str, ...]:
    return (
        "Not measured yet. This does it on the test sets of its configuration:",
        f"```sh\ntagline card {quote(address)}\n```",
    )


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
