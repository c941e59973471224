"""What demo and tests lean on: it must never hang, and say what went wrong."""

import os
import signal
import tempfile
from pathlib import Path

import pytest

from radgs_reg_ros.rig.node_process import NodeProcess
from radgs_reg_ros.rig.private_domain import DOMAINS, private_domain
from radgs_reg_ros.rig.remote import RigError


def test_two_users_get_two_domains():
    with private_domain() as one, private_domain() as other:
        assert one != other


@pytest.fixture
def locks_of_another_account(tmp_path, monkeypatch) -> set[str]:
    """Names of lock files that this account may not open."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names: set[str] = set()
    as_ever = Path.open

    def open_own(file: Path, *arguments, **options):
        if file.name in names:
            raise PermissionError(13, "Permission denied", str(file))
        return as_ever(file, *arguments, **options)

    monkeypatch.setattr(Path, "open", open_own)
    return names


def test_a_domain_that_another_account_reserved_is_passed_over(locks_of_another_account):
    kept = DOMAINS[: len(DOMAINS) // 2]
    locks_of_another_account.update(f"radgs_reg_domain_{domain}.lock" for domain in kept)
    for _ in range(8):  # in an order that is drawn by lot
        with private_domain() as domain:
            assert domain not in kept


def test_when_no_domain_is_left_that_is_said(locks_of_another_account, tmp_path):
    locks_of_another_account.update(f"radgs_reg_domain_{domain}.lock" for domain in DOMAINS)
    sentence = f"by another account .{tmp_path}/radgs_reg_domain_10.lock"
    with pytest.raises(RuntimeError, match=sentence), private_domain():
        pass


def test_other_machines_are_neither_called_nor_heard(domain, remote):
    ports = {int(line.split()[1].split(":")[1], 16) for line in Path("/proc/net/udp").read_text().splitlines()[1:]}
    first = 7400 + 250 * domain
    assert first + 10 in ports, "the node has a port of its own"
    assert first not in ports, "and none of the multicast group that finds others in the network"


def test_processes_inherit_that(domain, tmp_path):
    with NodeProcess("radgs_reg_ros.no_such_node", domain, tmp_path / "log") as process:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        assert b"ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST" in environment
        assert b"ROS_DOMAIN_ID=%d" % domain in environment


def test_what_does_not_come_is_named(remote):
    with pytest.raises(RigError, match="waited 0 s for the moon, in vain"):
        remote.wait_for(lambda: None, "the moon", 0.0)


def test_a_service_that_does_not_exist_is_named(remote):
    with pytest.raises(RigError, match="the service /nobody/there"):
        remote.trigger("/nobody/there", 0.1)


def test_waiting_ends_with_the_process_that_is_waited_for(domain, remote, tmp_path):
    with NodeProcess("radgs_reg_ros.no_such_node", domain, tmp_path / "log") as process:
        remote.watch(process)
        with pytest.raises(RigError, match=r"(?s)no_such_node ended with exit code 1.*No module named"):
            remote.wait_for(lambda: None, "the moon", 60.0)


def test_a_process_that_stands_still_is_ended(domain, tmp_path):
    process = NodeProcess("radgs_reg_ros.registration_node", domain, tmp_path / "log")
    os.kill(process.pid, signal.SIGSTOP)
    process.stop(patience_s=0.1)
    assert process.wait(20.0) < 0, "by a signal"
