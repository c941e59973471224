"""A ROS domain of one's own, so that two demos or tests on one machine do not hear each other."""

import fcntl
import random
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DOMAINS = range(10, 100)
"""All of whose ports lie below Linux's ephemeral ones."""


@contextmanager
def private_domain() -> Iterator[int]:
    """Reserve a free ROS_DOMAIN_ID for the duration.

    A lock file keeps other users of this function away; the port of a domain's first participant shows whether
    anybody else is there.

    Raises:
        RuntimeError: there is none.
    """
    for domain in random.sample(DOMAINS, len(DOMAINS)):
        try:
            lock = _lock_file(domain).open("w")
        except PermissionError:  # another account's, who may be there
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if _is_silent(domain):
                yield domain
                return
    raise RuntimeError(
        "every ROS domain from 10 to 99 is in use on this machine, or reserved by another account"
        f" ({_lock_file(DOMAINS[0])} and so on); end what uses them, or remove these files."
    )


def _lock_file(domain: int) -> Path:
    return Path(tempfile.gettempdir()) / f"radgs_reg_domain_{domain}.lock"


def _is_silent(domain: int) -> bool:
    """Whether no participant has the unicast discovery port that DDS gives to a domain's first one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", 7400 + 250 * domain + 10))
        except OSError:
            return False
    return True
