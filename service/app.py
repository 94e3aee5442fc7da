"""create_app: the one place where the service is wired together."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders
from litestar.di import Provide
from litestar.types import Message, Scope

from service.doors import Doors, cors_config, describe_doors
from service.errors import answer_problem
from service.head import HeadAsGet
from service.jobs.desk import Desk
from service.jobs.routes import JOB_ROUTES
from service.metrics import Metrics
from service.openapi import openapi_config
from service.page_files import page_router
from service.recorder import Recorder
from service.registry import Registry
from service.reload import reload_model
from service.request_id import HEADER, request_id
from service.routes import ROUTES
from service.schemas import tag_request
from service.scrape import scrape
from service.settings import Settings
from service.siblings import Siblings
from service.tools import Tools

logger = logging.getLogger("tagline")

OnLoaded = Callable[[Registry, Exception | None], None]


def create_app(settings: Settings, *, on_loaded: OnLoaded | None = None, shared: Path | None = None) -> Litestar:
    """The service as an ASGI application.

    Alone it loads its models after it has started, and answers 503 until then. One of several processes loads them
    before, so that clients get to those that are ready.

    Args:
        settings: What to serve and within which limits.
        on_loaded: Called once when the models are loaded, or with what went wrong.
        shared: Where several processes meet, with their metrics and reloads; None for one process.

    Raises:
        ModelError: A model or the device is not there; nothing is loaded yet.
        ConfigError: The database of the jobs is of no known kind.
    """
    metrics = Metrics(shared=shared)
    registry = Registry(settings, metrics=metrics)
    siblings = Siblings(registry, folder=shared)
    desk = None if settings.jobs == "off" else Desk(settings, registry=registry, metrics=metrics)
    request_model = tag_request(max_documents=settings.max_documents)
    tools = Tools(settings, registry, metrics, siblings, request_model)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with siblings.meeting():
            loading = asyncio.create_task(_load(registry, on_loaded or log_loaded))
            try:
                if shared is not None:
                    await loading
                async with nullcontext() if desk is None else desk.open():
                    yield
            finally:
                loading.cancel()
                await asyncio.gather(loading, return_exceptions=True)
                await registry.close()

    app = Litestar(
        [
            page_router(),
            *ROUTES,
            reload_model,
            *([] if desk is None else JOB_ROUTES),
            *([] if settings.metrics == "off" else [scrape]),
        ],
        lifespan=[lifespan],
        dependencies={
            "desk": Provide(lambda: desk, sync_to_thread=False),
            "tools": Provide(lambda: tools, sync_to_thread=False),
        },
        exception_handlers={Exception: answer_problem},
        before_send=[_send_request_id],
        request_max_body_size=settings.max_body_bytes,
        openapi_config=openapi_config(request_model, amend=partial(describe_doors, settings=settings)),
        cors_config=cors_config(settings),
        middleware=[Doors(settings)],
        logging_config=None,
    )
    # Around all of it, for litestar's own middleware never sees a request that no route takes.
    app.asgi_handler = HeadAsGet(Recorder(app.asgi_handler, metrics=metrics))
    return app


def log_loaded(registry: Registry, failure: Exception | None) -> None:
    """Tell the log what became of the models."""
    if failure is None:
        logger.info("ready, with models %s", ", ".join(registry.names))
    else:
        logger.error("cannot load the models: %s", failure)


async def _load(registry: Registry, on_loaded: OnLoaded) -> None:
    failure = None
    try:
        await registry.load()
    except Exception as error:  # whatever it is, somebody must be told, or the service would never be ready
        failure = error
    on_loaded(registry, failure)


async def _send_request_id(message: Message, scope: Scope) -> None:
    if message["type"] == "http.response.start":
        MutableScopeHeaders.from_message(message)[HEADER] = request_id(scope)
