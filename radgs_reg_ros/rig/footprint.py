"""What a process holds of the machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median

MB = 1e6
SETTLED_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
"""For the environment of a process whose memory is to be compared over time: glibc's allocator then gives back to the
system what is freed, large arrays at once; else resident memory goes up and down by tens of MB."""
SHARED_MEMORY = "/dev/shm/"
FAST_DDS = "fastdds_"


@dataclass(frozen=True)
class Footprint:
    """What a process holds at a moment, by Linux' account.

    Attributes:
        memory_mb: resident memory that is its own, MB; shared memory of DDS is not.
        threads: how many.
        descriptors: open files, sockets included.
        sockets: open sockets.
        shared_files: files of Fast DDS in shared memory, see ``shared_files_of``.
    """

    memory_mb: float
    threads: int
    descriptors: int
    sockets: int
    shared_files: int

    @classmethod
    def of(cls, pid: int) -> "Footprint":
        """That of a process.

        Raises:
            FileNotFoundError: there is no such process.
        """
        process = Path("/proc") / str(pid)
        links = [_target(link) for link in (process / "fd").iterdir()]
        return cls(
            memory_mb=_own_memory_bytes((process / "status").read_text()) / MB,
            threads=len(list((process / "task").iterdir())),
            descriptors=len(links),
            sockets=sum(link.startswith("socket:") for link in links),
            shared_files=len(shared_files_of(pid)),
        )


def memory_mb_per_step(footprints: Sequence[Footprint]) -> float:
    """Growth of memory from one footprint to the next, MB: the median of the slopes between any two (Theil and Sen)."""
    memory_mb = [footprint.memory_mb for footprint in footprints]
    slopes = [(memory_mb[j] - memory_mb[i]) / (j - i) for i, j in combinations(range(len(memory_mb)), 2)]
    return median(slopes) if slopes else 0.0


def shared_files_of(pid: int) -> set[Path]:
    """Files of Fast DDS in shared memory that belong to a process: segments and ports, their locks and semaphores.

    One that was removed meanwhile but is still held has another name.

    Raises:
        FileNotFoundError: there is no such process.
    """
    process = Path("/proc") / str(pid)
    mapped = [line.split(maxsplit=5)[-1] for line in (process / "maps").read_text().splitlines()]
    opened = [_target(link) for link in (process / "fd").iterdir()]  # locks, *_el, are open but not mapped
    held = {Path(name) for name in mapped + opened if name.startswith(SHARED_MEMORY) and FAST_DDS in name}
    # the semaphore of a port is opened for moments only, and found by its name
    semaphores = {file.with_name(f"sem.{file.name}_mutex") for file in held}
    return held | {semaphore for semaphore in semaphores if semaphore.exists()}


def _own_memory_bytes(status: str) -> int:
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return 1024 * (int(fields["VmRSS"].split()[0]) - int(fields["RssShmem"].split()[0]))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
