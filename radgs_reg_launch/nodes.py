"""Processes that the launch files start, as the arguments of the launch file want them."""

from collections.abc import Mapping
from pathlib import Path

from launch import LaunchContext
from launch.actions import OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import FileContent, LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

COMMON_PARAMETERS = {"case": str, "frame_prefix": str, "autostart": bool, "use_sim_time": bool}


def managed_node(name: str, parameters: Mapping[str, type] | None = None) -> OpaqueFunction:
    """One of this package's lifecycle nodes.

    Args:
        name: of executable and node.
        parameters: arguments, with their types, that become parameters of this node beside those that all nodes have;
            one that is empty or not there leaves the parameter to params_file.
    """
    return OpaqueFunction(function=_managed_node, args=[name, {**COMMON_PARAMETERS, **(parameters or {})}])


def rviz() -> OpaqueFunction:
    """RViz in the nodes' namespace, where its configuration finds their topics; only with ``rviz:=true``."""
    return OpaqueFunction(function=_rviz, condition=IfCondition(LaunchConfiguration("rviz")))


def robot_state_publisher() -> OpaqueFunction:
    """The robot model, moved by the simulator's joint states, every one of them; only with ``robot_model:=true``."""
    return OpaqueFunction(function=_robot_state_publisher, condition=IfCondition(LaunchConfiguration("robot_model")))


def _rviz(context: LaunchContext) -> list[Node]:
    return [
        Node(
            package="rviz2",
            executable="rviz2",
            namespace=LaunchConfiguration("namespace"),
            arguments=["-d", PathJoinSubstitution([FindPackageShare("radgs_reg"), "config", "radgs_reg.rviz"])],
            parameters=[_given(context, {"use_sim_time": bool})],
        )
    ]


def _robot_state_publisher(context: LaunchContext) -> list[Node]:
    urdf = PathJoinSubstitution([FindPackageShare("radgs_reg"), "description", "carm_theatre.urdf"])
    description = ParameterValue(FileContent(urdf), value_type=str)
    return [
        Node(
            package="robot_state_publisher",
            executable="robot_state_publisher",
            namespace=LaunchConfiguration("namespace"),
            parameters=[
                {
                    "robot_description": description,
                    "ignore_timestamp": True,
                    **_given(context, {"use_sim_time": bool}),
                }
            ],
        )
    ]


def _managed_node(context: LaunchContext, name: str, parameters: Mapping[str, type]) -> list[LifecycleNode]:
    params_file = LaunchConfiguration("params_file").perform(context)
    if not Path(params_file).is_file():  # launch_ros would warn, and start the node with defaults
        raise RuntimeError(f"params_file {params_file} does not exist; name a YAML file, or leave the argument out.")
    # The nodes start themselves: transitions begin when a node is ready, and no event of launch can come too early.
    return [
        LifecycleNode(
            package="radgs_reg",
            executable=name,
            name=name,
            namespace=LaunchConfiguration("namespace"),
            parameters=[params_file, _given(context, parameters)],
            arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
            output="screen",
        )
    ]


def _given(context: LaunchContext, parameters: Mapping[str, type]) -> dict[str, ParameterValue]:
    """Those whose arguments are not empty."""
    return {
        parameter: ParameterValue(LaunchConfiguration(parameter), value_type=kind)
        for parameter, kind in parameters.items()
        if context.launch_configurations.get(parameter)
    }
