"""Arguments that both launch files take, and how arguments are read."""

from collections.abc import Mapping
from typing import TypeAlias

from launch import LaunchContext
from launch.actions import DeclareLaunchArgument
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

Value: TypeAlias = bool | int | float | str
"""Of a parameter."""

YES_OR_NO = ["true", "false"]
_NUMBERS = {int: "a whole number such as 3", float: "a number such as 3.0"}

COMMON_ARGUMENTS = (
    DeclareLaunchArgument(
        "case",
        default_value="",
        description="Folder of the patient's case, made by `radgs-reg prepare`; empty: as params_file has it.",
    ),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([FindPackageShare("radgs_reg"), "config", "radgs_reg.yaml"]),
        description="YAML file with the parameters of the nodes; what other arguments say wins over it.",
    ),
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of the nodes and their topics."),
    DeclareLaunchArgument(
        "frame_prefix",
        default_value="",
        description="Put before the names of the frames that the nodes publish, such as left/; empty: as params_file"
        " has it.",
    ),
    DeclareLaunchArgument(
        "use_sim_time",
        default_value="",
        choices=["", *YES_OR_NO],
        description="Take the time from /clock; empty: as params_file has it. What else is started (RViz, the robot"
        " model) does not read that file and then takes the system's time.",
    ),
    DeclareLaunchArgument(
        "autostart",
        default_value="true",
        choices=YES_OR_NO,
        description="Configure and activate the nodes; false leaves that to a lifecycle manager or `ros2 lifecycle`.",
    ),
    DeclareLaunchArgument(
        "log_level",
        default_value="info",
        choices=["debug", "info", "warn", "error", "fatal"],
        description="Least severe messages that the nodes log.",
    ),
    DeclareLaunchArgument(
        "rviz",
        default_value="false",
        choices=YES_OR_NO,
        description="Also start RViz (package rviz2) with vertebrae, frames and overlays.",
    ),
)


def is_true(context: LaunchContext, name: str) -> bool:
    """Whether an argument that is `YES_OR_NO` is yes."""
    return bool(context.launch_configurations[name] == "true")


def given(context: LaunchContext, types: Mapping[str, type]) -> dict[str, Value]:
    """The values of those arguments that are not empty.

    Raises:
        RuntimeError: one is not the number that it shall be; launch prints the sentence.
    """
    texts = {name: context.launch_configurations[name] for name in types}
    return {name: _value(name, text, types[name]) for name, text in texts.items() if text}


def _value(name: str, text: str, kind: type) -> Value:
    if kind is bool:
        return text == "true"  # the argument's choices leave nothing else but false
    try:
        value: Value = kind(text)
    except ValueError as error:
        raise RuntimeError(f"{name}:={text} is not {_NUMBERS[kind]}; give one, or leave the argument out.") from error
    return value
