"""As much of diagnostic_updater (Python, ROS 2 Humble, 3.2) as this package uses: it is in ROS only, not on PyPI.

Humble's: a clock and a name of its own, which later versions take from the node.
"""

import threading

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock


class DiagnosticStatusWrapper(DiagnosticStatus):
    def summary(self, level, message):
        self.level, self.message = level, message

    def add(self, key, value):
        self.values.append(KeyValue(key=key, value=value))


class Task:
    def __init__(self, name, function):
        self.name, self.function = name, function

    def run(self, status):
        status.name = self.name
        return self.function(status)


class Updater:
    def __init__(self, node, period=1.0):
        self.node, self.tasks, self.lock, self.hwid, self.clock = node, [], threading.Lock(), "", Clock()
        self.publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 1)
        self._period = node.declare_parameter("diagnostic_updater.period", period).value
        self.timer = node.create_timer(self._period, self.update)

    @property
    def period(self):
        return self._period

    def setHardwareID(self, hwid):
        self.hwid = hwid

    def add(self, name, function):
        with self.lock:
            self.tasks.append(task := Task(name, function))
            self.addedTaskCallback(task)

    def removeByName(self, name):
        with self.lock:
            for task in self.tasks:
                if task.name == name:
                    self.tasks.remove(task)
                    return True
            return False

    def addedTaskCallback(self, task):
        self.publish(DiagnosticStatusWrapper(name=task.name, message="Node starting up"))

    def update(self):
        with self.lock:
            made = [
                task.run(DiagnosticStatusWrapper(hardware_id=self.hwid, level=DiagnosticStatus.ERROR))
                for task in self.tasks
            ]
        self.publish(made)

    def publish(self, statuses):
        message = DiagnosticArray()
        message.header.stamp = self.clock.now().to_msg()
        for status in statuses if isinstance(statuses, list) else [statuses]:
            status.name = f"{self.node.get_name()}: {status.name}"
            message.status.append(
                DiagnosticStatus(
                    level=status.level,
                    name=status.name,
                    message=status.message,
                    hardware_id=status.hardware_id,
                    values=status.values,
                )
            )
        self.publisher.publish(message)
