"""Starts registration_node, and with simulate:=true the simulated operating room beside it."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = (
    DeclareLaunchArgument("case", description="Folder of the patient's case, made by `radgs-reg prepare`."),
    DeclareLaunchArgument(
        "params_file",
        default_value=PathJoinSubstitution([FindPackageShare("radgs_reg"), "config", "radgs_reg.yaml"]),
        description="YAML file with the parameters of both nodes; other arguments of this launch file win over it.",
    ),
    DeclareLaunchArgument("namespace", default_value="", description="Namespace of both nodes and their topics."),
    DeclareLaunchArgument(
        "use_sim_time", default_value="false", choices=["true", "false"], description="Take the time from /clock."
    ),
    DeclareLaunchArgument(
        "autostart",
        default_value="true",
        choices=["true", "false"],
        description="Configure and activate the nodes; false leaves that to a lifecycle manager or `ros2 lifecycle`.",
    ),
    DeclareLaunchArgument(
        "log_level",
        default_value="info",
        choices=["debug", "info", "warn", "error", "fatal"],
        description="Least severe messages that the nodes log.",
    ),
    DeclareLaunchArgument(
        "simulate",
        default_value="false",
        choices=["true", "false"],
        description="Also start carm_simulator_node, which plays C-arm and patient.",
    ),
)


def generate_launch_description() -> LaunchDescription:
    """Both nodes; see ARGUMENTS."""
    return LaunchDescription(
        [
            *ARGUMENTS,
            _node("registration_node"),
            _node("carm_simulator_node", condition=IfCondition(LaunchConfiguration("simulate"))),
        ]
    )


def _node(name: str, condition: IfCondition | None = None) -> LifecycleNode:
    # The nodes start themselves: transitions begin when a node is ready, and no event of launch can come too early.
    overrides = {
        "case": ParameterValue(LaunchConfiguration("case"), value_type=str),
        "autostart": ParameterValue(LaunchConfiguration("autostart"), value_type=bool),
        "use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool),
    }
    return LifecycleNode(
        package="radgs_reg",
        executable=name,
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), overrides],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
        condition=condition,
    )
