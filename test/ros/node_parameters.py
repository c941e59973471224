"""Parameters of another node, set as ``ros2 param set`` does."""

from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter

from radgs_reg_ros.rig.remote import Remote


def set_parameter(remote: Remote, node: str, name: str, value: object) -> SetParametersResult:
    """Set one; the result has the reason where it is refused."""
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    return remote.call(SetParameters, f"{node}/set_parameters", request, 30.0).results[0]
