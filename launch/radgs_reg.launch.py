"""Starts registration_node."""

from launch import LaunchDescription

from radgs_reg_launch import COMMON_ARGUMENTS, managed_node, rviz


def generate_launch_description() -> LaunchDescription:
    """Arguments: `ros2 launch radgs_reg radgs_reg.launch.py --show-args`."""
    return LaunchDescription([*COMMON_ARGUMENTS, managed_node("registration_node"), rviz()])
