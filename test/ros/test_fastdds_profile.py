"""The profile of Fast DDS that X-rays want, used as docs/topics.md says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROFILE = Path(__file__).parents[2] / "config" / "fastdds_large_images.xml"
DEFAULT_BYTES = 512 * 1024
SEGMENTS = """
import re
import rclpy

rclpy.init()
node = rclpy.create_node("mapped")
for line in open("/proc/self/maps"):
    if re.search("/dev/shm/fastdds_[0-9a-f]{16}$", line.strip()):
        begin, end = (int(address, 16) for address in line.split()[0].split("-"))
        print(end - begin)
"""


def segment_bytes() -> int:
    """Of the largest segment of shared memory that a process with a node has mapped."""
    command = [sys.executable, "-c", SEGMENTS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert not ended.stderr, ended.stderr
    return max(map(int, ended.stdout.split()))


def test_a_process_has_the_shared_memory_that_the_profile_asks_for(domain: int, monkeypatch: pytest.MonkeyPatch):
    (asked,) = map(int, re.findall(r"<segment_size>(\d+)</segment_size>", PROFILE.read_text()))
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    assert DEFAULT_BYTES <= segment_bytes() < asked, "without the profile"
    monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(PROFILE))
    assert segment_bytes() >= asked >= 16 * 2 * 1024 * 1024, "sixteen X-rays of 1024 x 1024 pixels"
