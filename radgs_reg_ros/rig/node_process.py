"""A node in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = bool | int | float | str
TAIL_LINES = 15


class NodeProcess:
    """Starts ``python -m <module>`` as a ROS node; its output goes to a log file.

    Used as a context manager it ends the process on the way out, whatever happened.
    """

    def __init__(
        self,
        module: str,
        domain: int,
        log: Path,
        parameters: Mapping[str, Value] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        """
        Args:
            module: with a ``main``.
            domain: ROS_DOMAIN_ID.
            log: file for what it prints; replaced.
            parameters: given at start.
            arguments: more arguments after ``--ros-args``.
        """
        self.module = module
        self.log = log
        command = [sys.executable, "-m", module, "--ros-args", *arguments]
        for name, value in (parameters or {}).items():
            command += ["-p", f"{name}:={json.dumps(value)}"]
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "ROS_DOMAIN_ID": str(domain)},
                start_new_session=True,  # Ctrl-C in a terminal is for us, who then end our children in order
            )

    @property
    def pid(self) -> int:
        """Of the process, which also leads its process group."""
        return self._process.pid

    def failure(self) -> str | None:
        """What to tell when the process has ended by itself; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        lines = self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([f"{self.module} ended with exit code {code}; the end of {self.log}:", *lines])

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C and ros2 launch do."""
        self._process.send_signal(signal.SIGINT)

    def terminate(self) -> None:
        """Send SIGTERM, as init systems and containers do."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float) -> int:
        """The exit code.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        return self._process.wait(timeout_s)

    def stop(self, patience_s: float = 5.0) -> None:
        """End the process: SIGINT, and what is harder where that does not do in time."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                return
            self._process.send_signal(number)
            try:
                self._process.wait(patience_s)
            except subprocess.TimeoutExpired:
                continue

    def __enter__(self) -> "NodeProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
