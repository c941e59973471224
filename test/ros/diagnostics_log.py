"""What nodes said on /diagnostics."""

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.qos import QoSProfile

from radgs_reg_ros.rig.remote import Remote


class DiagnosticsLog:
    """Keeps every message on /diagnostics."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._messages = remote.listen(DiagnosticArray, "/diagnostics", QoSProfile(depth=1000))

    def mark(self) -> int:
        """A moment: all that came until now."""
        return len(self._messages)

    def entries(self, name: str, since: int = 0) -> list[DiagnosticStatus]:
        """Entries of one name, oldest first."""
        return [s for message in self._messages[since:] for s in message.status if s.name.endswith(f": {name}")]

    def wait(
        self, name: str, accept: Callable[[DiagnosticStatus], bool], what: str, since: int = 0
    ) -> DiagnosticStatus:
        """The first entry of a name that is accepted."""

        def first() -> DiagnosticStatus | None:
            return next((s for s in self.entries(name, since) if accept(s)), None)

        return self._remote.wait_for(first, f"a diagnostic of {name}: {what}", 30.0)

    def is_told_of_time(self, second: int, since: int = 0) -> bool:
        """Whether a node that says something has this time."""
        return any(message.header.stamp.sec >= second for message in self._messages[since:])

    def wait_for_time(self, second: int, since: int = 0) -> None:
        """Wait until a node that says something has this time."""
        self._remote.wait_for(lambda: self.is_told_of_time(second, since), f"a diagnostic at {second} s", 30.0)

    def wait_for_value(self, name: str, key: str, accept: Callable[[str], bool], since: int = 0) -> DiagnosticStatus:
        """The first entry of a name with a value that is accepted."""
        return self.wait(name, lambda s: any(v.key == key and accept(v.value) for v in s.values), key, since)
