"""Who is dead: what no living process has locked."""

import subprocess
import sys
from pathlib import Path

from service.jobs.holder import Holder, this_machine

OTHER = """
import sys
from pathlib import Path
from service.jobs.holder import Holder
print(Holder(Path(sys.argv[1])).id, flush=True)
sys.stdin.read()
"""


def test_a_process_is_dead_once_it_is_killed(tmp_path: Path) -> None:
    mine = Holder(tmp_path)
    command = [sys.executable, "-c", OTHER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        other = process.stdout.readline().strip()
        assert not mine.is_dead(other)
        process.kill()
        process.wait()
    assert mine.is_dead(other)
    assert mine.is_dead(other)  # its file is gone by now
    assert not mine.is_dead(mine.id)
    mine.close()
    assert list(tmp_path.iterdir()) == []


def test_one_that_ended_in_good_order_is_dead(tmp_path: Path) -> None:
    one, other = Holder(tmp_path), Holder(tmp_path)
    assert not one.is_dead(other.id)
    other.close()
    assert one.is_dead(other.id)
    one.close()


def test_the_machine_is_the_same_for_all() -> None:
    assert this_machine() == this_machine()
    assert 0 < len(this_machine()) <= 64
