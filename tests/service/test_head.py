"""HEAD is answered as GET is, without the body."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient


@pytest.mark.parametrize(
    "path", ["/", "/health/live", "/health/ready", "/v1/models", "/schema", "/metrics", "/nowhere"]
)
def test_head_is_get_without_its_body(path: str, client: TestClient[Litestar]) -> None:
    plain = {"Accept-Encoding": "identity"}
    head, get = client.head(path, headers=plain), client.get(path, headers=plain)
    assert (head.status_code, head.content) == (get.status_code, b"")
    assert get.content
    assert head.headers["content-type"] == get.headers["content-type"]
    if path != "/metrics":  # which have counted the one between them
        assert head.headers["content-length"] == str(len(get.content))


def test_head_of_what_takes_only_posts_is_refused(client: TestClient[Litestar]) -> None:
    assert client.head("/v1/tag").status_code == 405
