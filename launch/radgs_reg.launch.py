"""Starts registration_node."""

from launch import LaunchContext, LaunchDescription
from launch.actions import OpaqueFunction
from launch_ros.actions import Node

from radgs_reg_launch import COMMON_ARGUMENTS, is_true, managed_node, rviz


def generate_launch_description() -> LaunchDescription:
    """Arguments: `ros2 launch radgs_reg radgs_reg.launch.py --show-args`."""
    return LaunchDescription([*COMMON_ARGUMENTS, OpaqueFunction(function=_processes)])


def _processes(context: LaunchContext) -> list[Node]:
    """All of them, made before the first one starts."""
    processes = [managed_node(context, "registration_node")]
    if is_true(context, "rviz"):
        processes.append(rviz(context))
    return processes
