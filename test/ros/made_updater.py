"""As much of diagnostic_updater (Python, ROS 2, 3.2) as this package uses: it is in ROS only, not on PyPI."""

import threading

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue


class DiagnosticStatusWrapper(DiagnosticStatus):
    def summary(self, level, message):
        self.level, self.message = level, message

    def add(self, key, value):
        self.values.append(KeyValue(key=key, value=value))


class Updater:
    def __init__(self, node, period=1.0):
        self.node, self.tasks, self.lock, self.hwid = node, [], threading.Lock(), ""
        self.publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 1)
        self.period = node.declare_parameter("diagnostic_updater.period", period).value
        self.timer = node.create_timer(self.period, self.update)
        self.node_name = node.get_name()

    def setHardwareID(self, hwid):
        self.hwid = hwid

    def add(self, name, function):
        with self.lock:
            self.tasks.append((name, function))
            self.addedTaskCallback(name)

    def removeByName(self, name):
        with self.lock:
            self.tasks = [task for task in self.tasks if task[0] != name]

    def addedTaskCallback(self, name):
        self.publish(DiagnosticStatusWrapper(name=name, message="Node starting up"))

    def update(self):
        with self.lock:
            made = [
                function(DiagnosticStatusWrapper(name=name, hardware_id=self.hwid, level=DiagnosticStatus.ERROR))
                for name, function in self.tasks
            ]
        self.publish(made)

    def publish(self, statuses):
        message = DiagnosticArray()
        message.header.stamp = self.node.get_clock().now().to_msg()
        for status in statuses if isinstance(statuses, list) else [statuses]:
            status.name = f"{self.node_name}: {status.name}"
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
