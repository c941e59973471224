"""What a process holds of the machine."""

from dataclasses import dataclass
from pathlib import Path

MB = 1e6
FAST_DDS = "/dev/shm/fastdds"


@dataclass(frozen=True)
class Footprint:
    """What a process holds at a moment, by Linux' account.

    Attributes:
        memory_mb: resident memory that is its own, MB; shared memory of DDS is not.
        threads: how many.
        descriptors: open files, sockets included.
        sockets: open sockets.
        segments: files of Fast DDS in shared memory that it has mapped, removed ones included.
    """

    memory_mb: float
    threads: int
    descriptors: int
    sockets: int
    segments: int

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
            segments=len(segments_of(pid)),
        )


def segments_of(pid: int) -> set[Path]:
    """Files of Fast DDS in shared memory that a process has mapped; one that was removed meanwhile has another name."""
    maps = (Path("/proc") / str(pid) / "maps").read_text().splitlines()
    return {Path(line.split(maxsplit=5)[-1]) for line in maps if FAST_DDS in line}


def _own_memory_bytes(status: str) -> int:
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return 1024 * (int(fields["VmRSS"].split()[0]) - int(fields["RssShmem"].split()[0]))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""
