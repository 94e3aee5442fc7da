"""``tagline serve``: the service on uvicorn, in one process or several."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import Annotated, NoReturn

import uvicorn
from cyclopts import Parameter
from litestar import Litestar
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from service.app import create_app
from service.jobs.desk import open_store
from service.logs import set_up_logs
from service.memory import return_regularly, spare_collections
from service.patience import PatientProtocol
from service.registry import Registry
from service.settings import Settings, read_settings
from taggers.config import Precision
from taggers.errors import ModelError, TaglineError

logger = logging.getLogger("tagline")

_BACKLOG = 2048

_STARTUP_S = 120
"""A worker that takes the place of another may load its models for so long."""

_RETRY_S = 5
"""So long the next one waits if it cannot."""


def serve(
    *,
    host: str | None = None,
    port: int | None = None,
    model: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    workers: int | None = None,
    device: str | None = None,
    precision: Precision | None = None,
) -> None:
    """Run the REST service until it is told to stop (Ctrl-C), then finish what was accepted.

    Example: tagline serve --port 8000 --model en

    Every option is also an environment variable (TAGLINE_PORT=8000), and so are the limits that have no option here.

    Args:
        host: The address to listen on; 127.0.0.1 if not given.
        port: The port to listen on, 0 for any that is free; 8000 if not given.
        model: A model's name or folder; may be given several times, the first is the default. Without it: every
            bundled model.
        workers: How many processes serve; 1 if not given.
        device: Where the models run: auto, cpu, cuda or cuda:N; auto if not given.
        precision: In how many bits encoders compute: fp32, bf16, fp16, or auto, which takes 16 bits where the device is
            faster so; auto if not given.
    """
    settings = read_settings(host=host, port=port, models=model, workers=workers, device=device, precision=precision)
    set_up_logs(settings)
    Registry(settings)  # a model that is not there is told before anything listens
    open_store(settings).close()  # and so is a database of no known kind
    with _listen(settings.host, settings.port) as listener:
        address = _address(listener)
        if settings.workers == 1:
            _Process(settings, address).run(listener)
        else:
            _run_workers(settings, address, listener)


_SWITCH_S = 0.001
"""After so long the event loop gets the interpreter back from a thread that cuts, decodes or writes."""


class _Process:
    """The service in this process."""

    def __init__(self, settings: Settings, address: str) -> None:
        self._address = address
        self._failure: Exception | None = None
        self._server = uvicorn.Server(_config(settings, create_app(settings, on_loaded=self._on_loaded)))

    def run(self, listener: socket.socket) -> None:
        # uvicorn gives a signal on when it has shut down; being told to stop is no failure.
        signal.signal(signal.SIGTERM, _exit)
        self._server.run(sockets=[listener])
        if self._failure is not None:
            raise self._failure

    def _on_loaded(self, registry: Registry, failure: Exception | None) -> None:
        if failure is None:
            _announce(self._address, registry)
        else:
            self._failure = failure
            self._server.should_exit = True


class _Supervisor(Multiprocess):
    """What starts workers, and another one when one has died."""

    def keep_subprocess_alive(self) -> None:
        for worker in self.processes:
            # It is the worker's end. Who has it too is not told that the worker died, and waits for its sign of life.
            worker.child_conn.close()
        super().keep_subprocess_alive()


def _run_workers(settings: Settings, address: str, listener: socket.socket) -> None:
    with TemporaryDirectory(prefix="tagline-") as shared:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared  # which its client reads when a worker imports it
        app = partial(_create_worker_app, settings, address, Path(shared))
        supervisor = _Supervisor(_config(settings, app, factory=True), sockets=[listener])
        supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise ModelError("a worker could not load the models")


def _create_worker_app(settings: Settings, address: str, shared: Path) -> Litestar:
    """The service in one of several processes."""
    set_up_logs(settings)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    was_ready = shared / "was-ready"

    def on_loaded(registry: Registry, failure: Exception | None) -> None:
        if failure is not None:
            _give_up(failure, again=was_ready.exists())
        was_ready.touch()
        _announce(address, registry)

    try:
        return create_app(settings, on_loaded=on_loaded, shared=shared)
    except (TaglineError, OSError) as error:
        _give_up(error, again=was_ready.exists())


def _end_with_parent() -> None:
    """Tell this worker to stop when its supervisor is no more, or it would hold the port without one."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _give_up(failure: Exception, *, again: bool) -> NoReturn:
    """End a worker that cannot load its models.

    Args:
        failure: Why it cannot.
        again: Whether the supervisor is to start another one, since the service was ready once: others may still be,
            and a folder that is being copied will be whole. Otherwise the service ends.
    """
    if not again:
        logger.error("cannot load the models: %s", failure)
        os._exit(STARTUP_FAILURE)  # at once, for nothing was accepted; so does the other way
    logger.error("a worker cannot load the models; another one tries in %d s: %s", _RETRY_S, failure)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    time.sleep(_RETRY_S)
    os._exit(os.EX_TEMPFAIL)


def _announce(address: str, registry: Registry) -> None:
    spare_collections()
    return_regularly()
    sys.setswitchinterval(_SWITCH_S)
    print(f"Tagline is ready on {address} (models: {', '.join(registry.names)})", flush=True)


def _config(settings: Settings, app: object, *, factory: bool = False) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        factory=factory,
        workers=settings.workers,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=settings.drain_timeout_s,
        timeout_worker_healthcheck=_STARTUP_S,
        http=partial(PatientProtocol, idle_s=settings.stream_idle_timeout_s),  # type: ignore[arg-type]
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        problem = (error.strerror or str(error)).partition(" (")[0].lower()
        raise OSError(f"cannot listen on {host}:{port}: {problem}") from error


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _exit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    sys.exit(0)
