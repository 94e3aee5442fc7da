"""What ends a job early: a place where the service dies again and again."""

from pathlib import Path

from litestar.testing import TestClient

from service.app import create_app
from service.jobs.folder import JobsFolder
from service.jobs.job import Input, Order
from service.jobs.store import Store
from service.settings import Settings
from tests.service.clients import wait_until_ready
from tests.service.jobs.clients import results, wait

ID = "a" * 32


def test_it_fails_with_one_line(tiny: Path, tmp_path: Path) -> None:
    folder = JobsFolder(tmp_path)
    store = Store(f"sqlite:///{tmp_path}/jobs.sqlite3")
    folder.add(ID)
    folder.upload(ID).write_bytes(b"Ada\n")
    store.add(ID, Order("in", "tiny", None, ("ner",), Input("text")), owner="")
    for _ in range(10):
        assert store.claim(models=["tiny"], holder="h", machine="m", lease_s=600)
        assert store.take_back("m", lambda _: True) == 1
    store.close()
    with TestClient(create_app(Settings(models=(str(tiny),), jobs_folder=tmp_path))) as client:
        wait_until_ready(client)
        killed = wait(client, ID)
        assert (killed["state"], killed["documents"]) == ("failed", 0)
        assert killed["error"] == "the service ended 10 times while it worked on the records behind record 0"
        assert results(client, ID) == b""
