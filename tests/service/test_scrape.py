"""``GET /metrics`` of a service that has worked."""

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.settings import Settings
from tests.service.clients import tag, with_service


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_tells_of_requests_errors_models_and_the_process(settings: Settings) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        await tag(client, documents=[{"tokens": [["Ada", "wrote"], ["Paris"]]}])
        await tag(client, text="Ada wrote.", tasks=["nothing"])
        await client.get("/no/such/path")
        lines = b'{"text": "Ada"}\n{}\n{"text": 1}\n{"text": "x", "y": 1}\n'
        assert (await client.post("/v1/tag/stream", content=lines)).status_code == 200
        await client.post("/v1/models/tiny/reload")
        answer = await client.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert answer.headers["content-type"].count("charset") == 1
        odd = await client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=abc"})
        assert (odd.status_code, odd.headers["content-type"]) == (200, answer.headers["content-type"])
        found = samples(answer.text)

        def value(name: str, **labels: str) -> float:
            return found[name, frozenset(labels.items())]

        assert value("tagline_requests_total", route="/v1/tag", method="POST", status="200") == 1
        assert value("tagline_requests_total", route="/v1/tag", method="POST", status="400") == 1
        assert value("tagline_requests_total", route="unmatched", method="GET", status="404") == 1
        assert value("tagline_requests_in_progress") == 1  # this one
        assert value("tagline_errors_total", kind="unknown-task") == 1
        assert value("tagline_errors_total", kind="not-found") == 1
        assert value("tagline_errors_total", kind="bad-request") == 3  # lines of the stream
        assert value("tagline_documents_total", model="tiny") == 2
        tokens = value("tagline_batch_tokens_total", model="tiny", network="tagger")
        assert value("tagline_tokens_total", model="tiny") == tokens
        assert value("tagline_batch_positions_total", model="tiny", network="tagger") > tokens
        assert value("tagline_batch_tokens_total", model="tiny", network="segmenter") == len("Ada")
        assert value("tagline_queue_tokens", model="tiny") == 0
        assert value("tagline_reloads_total", model="tiny", outcome="loaded") == 1
        for phase, count in {"segment": 2, "queue": 2, "compute": 2, "respond": 1}.items():
            assert value("tagline_phase_seconds_count", model="tiny", phase=phase) == count

    with_service(settings, scenario)


@pytest.mark.parametrize("accept", ["*/*", "application/openmetrics-text;version=1.0.0"])
def test_in_the_form_that_is_asked_for(accept: str, client: TestClient[Litestar]) -> None:
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith(
        "application/openmetrics" if "openmetrics" in accept else "text/plain"
    )
