"""``GET /metrics``: what Prometheus comes for."""

from litestar import Response, get
from litestar.di import NamedDependency

from service.exchange import AnyRequest
from service.tools import Tools


@get(
    "/metrics",
    operation_id="metrics",
    summary="Metrics for Prometheus",
    media_type="text/plain",
    sync_to_thread=True,
)
def scrape(request: AnyRequest, tools: NamedDependency[Tools]) -> Response[bytes]:
    """Requests, errors, queues, batches, padding, the device's time and the phases of tagging, in Prometheus' text."""
    written, media_type = tools.metrics.write(request.headers.get("accept", ""))
    return Response(written, headers={"Content-Type": media_type})  # which names its charset already
