"""Arguments that both launch files take."""

from launch.actions import DeclareLaunchArgument
from launch.substitutions import PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

YES_OR_NO = ["true", "false"]

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
