import pytest
from litestar import Litestar
from litestar.testing import TestClient


def test_every_answer_has_an_id_of_its_own(client: TestClient[Litestar]) -> None:
    answers = [client.get("/health/live"), client.get("/nowhere"), client.post("/v1/tag", content=b"{")]
    ids = {answer.headers["X-Request-ID"] for answer in answers}
    assert len(ids) == 3
    assert all(len(id) == 32 for id in ids)


def test_the_clients_own_id_comes_back(client: TestClient[Litestar]) -> None:
    assert client.get("/nowhere", headers={"X-Request-ID": "order-7/a"}).headers["X-Request-ID"] == "order-7/a"


@pytest.mark.parametrize("sent", ["", "two words", "x" * 129, "tab\tbed"])
def test_an_id_that_could_harm_a_log_is_replaced(sent: str, client: TestClient[Litestar]) -> None:
    assert client.get("/health/live", headers={"X-Request-ID": sent}).headers["X-Request-ID"] != sent
