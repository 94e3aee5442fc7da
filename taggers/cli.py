"""The commands ``tag`` and ``models``.

What takes long to import (torch, and rich with it) is imported when it is needed: the help must not wait for it.
"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from taggers.reading import STDIN, InputFormat, Inputs
from taggers.writing import OutputFormat, choose_format, find_writer, is_terminal, open_output


def tag(
    files: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=True, show_default=False)] = (),
    /,
    *,
    model: str = "en",
    format: Annotated[InputFormat, Parameter(name="--from")] = "auto",
    text_field: str = "text",
    id_field: str = "id",
    output: Annotated[str, Parameter(alias="-o", allow_leading_hyphen=True)] = STDIN,
    to: Annotated[OutputFormat | None, Parameter(show_default=False)] = None,
    tasks: str | None = None,
    max_batch_tokens: Annotated[int, Parameter(validator=Number(gte=1))] = 4000,
    device: str = "auto",
) -> None:
    """Tag files, or what comes from standard input.

    Example: tagline tag books/*.txt --tasks upos,ner -o books.jsonl

    Example: cat tweets.jsonl | tagline tag --text-field tweet --to conllu | less

    Offsets count code points of the text exactly as it stands in its file, line ends included; a byte order mark at
    the start of a file is no part of its text. Input is UTF-8, and so is output.

    Args:
        files: What to tag; - or nothing is standard input. Documents come out in the order they go in.
        model: A bundled model's name, or a model folder.
        format: The input's format. text is one document a file; jsonl and csv are one document a row; conllu keeps its
            words and gets new annotation. auto goes by each file's suffix, or else by its first line.
        text_field: The field of jsonl, or the column of csv, that holds the text.
        id_field: The one that holds the document's id.
        output: The file to write, which appears when all is done; until then there is OUT.part. - is standard output.
        to: The output's format. Without it: a table on a terminal, else by the suffix of OUT, else jsonl.
        tasks: Which layers to fill: upos,feats,ner; all that the model has without it.
        max_batch_tokens: The most tokens in one batch, padding included.
        device: auto, cpu, cuda or cuda:N.
    """
    if not files and sys.stdin.isatty():
        raise _wrong_use("No file to tag: give one, or - to type a text.")
    for name in (*files, output):
        if name.startswith(STDIN) and name != STDIN:  # let through because - is a name here
            raise _wrong_use(f"Unknown option: {name}.")
    inputs = Inputs(files or [STDIN], format=format, text_field=text_field, id_field=id_field)
    target = None if output == STDIN else Path(output)
    chosen = to or choose_format(target)
    find_writer(chosen, span_tasks=["ner"], terminal=False)  # before the model is loaded, which takes a while

    from taggers.bulk import tag_stream
    from taggers.pipeline import load
    from taggers.progress import follow

    tagger = load(model, device=device)
    wanted = tagger.check_tasks(None if tasks is None else [name.strip() for name in tasks.split(",")])
    span_tasks = [name for name in wanted if tagger.tasks[name].kind == "span"]
    writer = find_writer(chosen, span_tasks=span_tasks, terminal=is_terminal(target))
    tagged = tag_stream(tagger, inputs, tasks=wanted, max_batch_tokens=max_batch_tokens)
    followed = follow(
        tagged,
        bytes_read=lambda: inputs.bytes_read,
        total_bytes=inputs.total_bytes,
        visible=not is_terminal(target),
    )
    with open_output(target) as out:
        for chunk in writer(followed):
            out.write(chunk)


def models(name: str | None = None, /) -> None:
    """List the models that are installed, or show one model's card.

    Example: tagline models en

    Args:
        name: A bundled model's name, or a model folder.
    """
    from rich.console import Console

    from taggers.cards import models_table, read_card, render_card
    from taggers.catalog import bundled_models, find_model

    if name is not None:
        card = read_card(find_model(name))
        if sys.stdout.isatty():
            Console().print(render_card(card))
        else:
            sys.stdout.write(card)
    elif bundled_models():
        Console().print(models_table())
    else:
        print("no models are installed; a model folder can be used by its path: tagline tag --model FOLDER")


def _wrong_use(problem: str) -> CycloptsError:
    return CycloptsError(msg=problem, command_chain=["tag"])
