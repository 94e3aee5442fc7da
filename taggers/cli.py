"""The commands ``tag`` and ``models``.

What takes long to import (torch, and rich with it) is imported when it is needed: the help must not wait for it.
"""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import CycloptsError, Parameter
from cyclopts.validators import Number

from taggers.bulk.engines import EngineName, open_engine
from taggers.bulk.output import files_of
from taggers.bulk.pieces import MAX_RECORD_BYTES, ReadOptions
from taggers.bulk.rendering import OutputFormat, choose_output
from taggers.bulk.sources import STDIN, InputFormat
from taggers.bulk.work import Work
from taggers.config import Precision


def tag(
    files: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=True, show_default=False)] = (),
    /,
    *,
    model: str = "en",
    format: Annotated[InputFormat, Parameter(name="--from")] = "auto",
    per_line: Annotated[bool, Parameter(negative=())] = False,
    text_field: str = "text",
    id_field: str = "id",
    output: Annotated[str, Parameter(alias="-o", allow_leading_hyphen=True)] = STDIN,
    to: Annotated[OutputFormat | None, Parameter(show_default=False)] = None,
    tasks: str | None = None,
    resume: Annotated[bool, Parameter(negative=())] = False,
    workers: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    max_batch_tokens: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    max_record_bytes: Annotated[int, Parameter(validator=Number(gte=1))] = MAX_RECORD_BYTES,
    device: str = "auto",
    precision: Precision = "auto",
    engine: EngineName = "local",
    ray_address: Annotated[str | None, Parameter(show_default=False)] = None,
) -> int:
    """Tag files, or what comes from standard input.

    Example: tagline tag books/ --tasks upos,ner -o books.jsonl

    Example: tagline tag 's3://reviews/*.jsonl.gz' --text-field body -o reviews.parquet --resume

    Example: cat tweets.txt | tagline tag --per-line --to conllu | less

    Offsets count code points of the text exactly as it stands in its file, line ends included; a byte order mark at
    the start of a file is no part of its text. Input is UTF-8, and so is output.

    Args:
        files: What to tag: files, folders, patterns, addresses that fsspec knows (s3://, gs://, https://); - or nothing
            is standard input. Any may be compressed (.gz, .zst). Documents come out in the order they go in.
        model: A bundled model's name, or a model folder.
        format: The input's format. text is one document a file; jsonl, csv and parquet are one document a row; conllu
            keeps its words and gets new annotation. auto goes by each file's suffix, or else by its first line.
        per_line: Each line of a text is a document.
        text_field: The field of jsonl, or the column of csv and parquet, that holds the text.
        id_field: The one that holds the document's id. All others pass through to jsonl and parquet.
        output: The file to write, which appears when all is done; until then there is OUT.part. Records that cannot be
            tagged are named in OUT.errors.jsonl. - is standard output.
        to: The output's format. Without it: a table on a terminal, else by the suffix of OUT, else jsonl.
        tasks: Which layers to fill: upos,feats,ner; all that the model has without it.
        resume: Go on where the last run of this job was cut off. Without one, begin.
        workers: How many processes tag, each on one core. Without it: one for each core, fewer for a small input.
        max_batch_tokens: The most tokens in one batch, padding included.
        max_record_bytes: The most bytes of one document. A longer one is not cut, but named as one that failed.
        device: auto, cpu, cuda or cuda:N.
        precision: In how many bits encoders compute: fp32, bf16, fp16, or auto, which takes 16 bits where the device is
            faster so.
        engine: local is this machine, ray a cluster, which writes the same; workers are then as many as it has cores,
            or four for each GPU. The extra ray brings what it needs.
        ray_address: The cluster: HOST:PORT, auto or local. Without it the one that RAY_ADDRESS names, or that runs on
            this machine, or else one that is started here.
    """
    if not files and sys.stdin.isatty():
        raise _wrong_use("No file to tag: give one, or - to type a text.")
    for name in (*files, output):
        if name.startswith(STDIN) and name != STDIN:  # let through because - is a name here
            raise _wrong_use(f"Unknown option: {name}.")
    if resume and output == STDIN:
        raise _wrong_use("--resume needs a file to go on with: -o OUT.")
    if ray_address is not None and engine != "ray":
        raise _wrong_use("--ray-address needs --engine ray.")
    target = None if output == STDIN else Path(output)
    own = [] if target is None else files_of(target)
    work = Work(
        model=model,
        reading=ReadOptions(per_line, text_field, id_field, max_record_bytes),
        output=choose_output(target, to, title=f"Tagged by {model}"),
        device=device,
        precision=precision,
        tasks=None if tasks is None else tuple(name.strip() for name in tasks.split(",")),
        max_batch_tokens=max_batch_tokens,
    )
    from taggers.bulk.job import describe_failures, run_job

    with open_engine(engine, ray_address=ray_address) as opened:
        sources = opened.find_sources(files or [STDIN], format=format, exclude=own)
        done = run_job(sources, work, target, workers=workers, resume=resume, engine=opened)
    if not done.failures:
        return 0
    print(f"tagline: {describe_failures(done, target)}", file=sys.stderr)
    return 1


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
