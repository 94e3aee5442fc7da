"""Which addresses may be read, and whether what is there has changed."""

from pathlib import Path

import pytest

from service.errors import BadRequest, Forbidden
from service.jobs.job import Input, Order
from service.jobs.sources import base_name, check_address, describe_sources, look_into, open_input, read_options

ALLOWED = ("s3://bucket/texts", "https://host.org/a/")


@pytest.mark.parametrize(
    "address",
    ["s3://bucket/texts", "s3://bucket/texts/a.csv", "s3://bucket/texts/*.jsonl", "https://host.org/a/b..c?d=1"],
)
def test_what_is_below_an_allowed_address_may_be_read(address: str) -> None:
    check_address(address, ALLOWED)


@pytest.mark.parametrize(
    "address",
    [
        "s3://bucket/textsother/a.csv",
        "s3://bucket/",
        "S3://bucket/texts/a.csv",
        "s3://bucket/Texts/a.csv",
        "https://host.org/a",
        "https://host.org@evil.org/a/x",
        "https://host.org/a/../b",
        "https://host.org/a/%2e%2E/b",
        "https://host.org/a/%252e%252e%252fb",
        "s3://bucket/texts/..",
        "s3://bucket/texts/a::file:///etc/passwd",
        "simplecache::s3://bucket/texts/a",
        "s3://bucket/texts\\..\\a",
        "s3://bucket/texts/a\nb",
        "/etc/passwd",
        "-",
        "",
    ],
)
def test_nothing_else_may(address: str) -> None:
    with pytest.raises(Forbidden, match="expected a"):
        check_address(address, ALLOWED)


def test_by_default_nothing_may() -> None:
    with pytest.raises(Forbidden, match="send the file itself"):
        check_address("s3://bucket/texts/a.csv", ())


def test_an_upload_is_called_by_its_name_and_lies_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"a,b\n1,2\n")
    order = Order("reviews.csv", "m", None, (), Input("csv"))
    sources = open_input(order, tmp_path / "input")
    assert [(source.label, source.size) for source in sources] == [("reviews.csv", 8)]
    with pytest.raises(BadRequest, match=r"reviews\.csv:1: expected a column 'text', found the columns a, b") as caught:
        look_into(sources, read_options(order.input, max_record_bytes=99))
    assert [field.path for field in caught.value.fields] == ["text_field"]


def test_what_has_changed_is_described_otherwise(tmp_path: Path) -> None:
    order = Order("in", "m", None, (), Input(source=str(tmp_path)))
    described = []
    for content in (b"a\n", b"ab\n"):
        (tmp_path / "x.txt").write_bytes(content)
        described.append(describe_sources(open_input(order, Path())))
    (tmp_path / "y.txt").write_bytes(b"a\n")
    described.append(describe_sources(open_input(order, Path())))
    assert len(set(described)) == 3
    assert describe_sources(open_input(order, Path())) == described[2]


def test_names_of_addresses() -> None:
    assert [base_name(address) for address in ("s3://b/c.csv", "s3://b/c/", "x")] == ["c.csv", "c", "x"]
