"""Processes that the launch files start, as the arguments of the launch file want them.

Each function reads its arguments and looks its package up at once: a launch file calls all of them before the first
process starts. What fails when some run already leaves those without launch.
"""

from collections.abc import Mapping
from pathlib import Path

from launch import LaunchContext
from launch.substitutions import SubstitutionFailure
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import ExecutableInPackage, FindPackageShare

from radgs_reg_launch.arguments import Value, given

COMMON_PARAMETERS = {"case": str, "frame_prefix": str, "autostart": bool, "use_sim_time": bool}


def managed_node(
    context: LaunchContext,
    name: str,
    types: Mapping[str, type] | None = None,
    parameters: Mapping[str, Value] | None = None,
) -> LifecycleNode:
    """One of this package's lifecycle nodes.

    Args:
        context: has the arguments.
        name: of executable and node.
        types: arguments, with their types, that become parameters of this node beside those that all nodes have;
            one that is empty leaves the parameter to params_file.
        parameters: further parameters, whatever the arguments are.

    Raises:
        RuntimeError: params_file does not exist, or an argument cannot be used.
    """
    params_file = context.launch_configurations["params_file"]
    if not Path(params_file).is_file():  # launch_ros would warn, and start the node with defaults
        raise RuntimeError(f"params_file {params_file} does not exist; name a YAML file, or leave the argument out.")
    values = {**given(context, {**COMMON_PARAMETERS, **(types or {})}), **(parameters or {})}
    # The nodes start themselves: transitions begin when a node is ready, and no event of launch can come too early.
    return LifecycleNode(
        package="radgs_reg",
        executable=name,
        name=name,
        namespace=context.launch_configurations["namespace"],
        parameters=[params_file, _described(values)],
        arguments=["--ros-args", "--log-level", context.launch_configurations["log_level"]],
        output="screen",
    )


def rviz(context: LaunchContext) -> Node:
    """RViz in the nodes' namespace, where its configuration finds their topics.

    Raises:
        RuntimeError: it is not installed.
    """
    _look_up(context, "rviz2", "rviz")
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=context.launch_configurations["namespace"],
        arguments=["-d", str(_share(context) / "config" / "radgs_reg.rviz")],
        parameters=[_described(given(context, {"use_sim_time": bool}))],
    )


def robot_state_publisher(context: LaunchContext) -> Node:
    """The robot model, moved by the simulator's joint states, every one of them.

    Raises:
        RuntimeError: it is not installed, or a frame_prefix is given.
    """
    if prefix := context.launch_configurations["frame_prefix"]:
        raise RuntimeError(
            f"robot_model:=true goes with no frame_prefix, but {prefix} is given: robot_state_publisher would put it"
            " before the reference frame as well; leave one of the two out."
        )
    _look_up(context, "robot_state_publisher", "robot_model")
    parameters: dict[str, Value] = {
        "robot_description": (_share(context) / "description" / "carm_theatre.urdf").read_text(encoding="utf-8"),
        "ignore_timestamp": True,
        **given(context, {"use_sim_time": bool}),
    }
    return Node(
        package="robot_state_publisher",
        executable="robot_state_publisher",
        namespace=context.launch_configurations["namespace"],
        parameters=[_described(parameters)],
    )


def _look_up(context: LaunchContext, package: str, argument: str) -> None:
    """See that a package that is no dependency is there, with the executable of its name."""
    try:
        ExecutableInPackage(package, package).perform(context)
    except (LookupError, SubstitutionFailure) as error:  # no such package, no such executable
        raise RuntimeError(
            f"{argument}:=true needs the package {package}, which is not installed; install it, or leave the argument"
            " out."
        ) from error


def _share(context: LaunchContext) -> Path:
    return Path(FindPackageShare("radgs_reg").perform(context))


def _described(parameters: Mapping[str, Value]) -> dict[str, ParameterValue]:
    """For launch_ros, which without the type would read a text such as 007 as YAML."""
    return {name: ParameterValue(value, value_type=type(value)) for name, value in parameters.items()}
