"""Parameter classes as parameters of a node: declared, checked, read."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.parameter_field import Effect, constraint, refusal

Parameters = TypeVar("Parameters")


Check = Callable[[list[Parameter]], SetParametersResult]


def declare(node: Node, kind: type, is_unconfigured: Callable[[], bool]) -> Check:
    """Declare every parameter of a parameter class; from then on wrong values are refused with the reason.

    What is read at configure can be set only while ``is_unconfigured()``: so a parameter's value is always the one in
    force.

    Returns:
        A check for the node's ``set_parameters_atomically``: rclpy refuses wrong types and unknown names before it
        asks, without a reason that says anything ("expected '1' got '2'").

    Raises:
        InputError: a value given at start has the wrong type or is not accepted.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}

    def reason_against(parameter: Parameter) -> str:
        field = fields.get(parameter.name)
        if field is None:  # use_sim_time and others that are not ours
            return ""
        if reason := refusal(field, parameter.value):
            return reason
        late = field.metadata["effect"] is Effect.CONFIGURE and not is_unconfigured()
        # a whole file of parameters may be loaded again
        if late and parameter.value != node.get_parameter(field.name).value:
            return f"the parameter {field.name} is read when the node is configured; clean up first, then set it."
        return ""

    def check(parameters: list[Parameter]) -> SetParametersResult:
        reason = next(filter(None, map(reason_against, parameters)), "")
        return SetParametersResult(successful=not reason, reason=reason)

    def check_request(parameters: list[Parameter]) -> SetParametersResult:
        unknown = next((p.name for p in parameters if not node.has_parameter(p.name)), None)
        if unknown is not None:
            return SetParametersResult(successful=False, reason=_unknown(unknown, node))
        return check(parameters)

    node.add_on_set_parameters_callback(check)
    for field in fields.values():
        given = overrides(node).get(field.name)
        if given is not None and (reason := refusal(field, given.value)):  # rclpy would say it less clearly
            raise InputError(f"{node.get_name()}: {reason}")
        node.declare_parameter(field.name, field.default, descriptor(field))
    return check_request


def unknown_overrides(node: Node) -> list[str]:
    """One sentence for each parameter that was given at start but that the node, all declared, does not have."""
    return [_unknown(name, node) for name in overrides(node) if not node.has_parameter(name)]


def read(node: Node, kind: type[Parameters]) -> Parameters:
    """The present values of a declared parameter class."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: node.get_parameter(name).value for name in names})


def descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    """What tools such as ``ros2 param describe`` show of a field."""
    effect: Effect = field.metadata["effect"]
    message = ParameterDescriptor(
        name=field.name,
        description=field.metadata["description"],
        additional_constraints="; ".join(filter(None, (constraint(field), f"takes effect {effect.value}"))),
        read_only=effect is Effect.START,  # ROS takes such a parameter from the start's overrides only
    )
    if field.metadata["span"] is not None:
        low, high = field.metadata["span"]
        if isinstance(field.default, float):
            message.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
        else:
            message.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return message


def overrides(node: Node) -> Mapping[str, Parameter]:
    """What was given at start, on the command line or in files, by name; rclpy has no public way to it."""
    return node._parameter_overrides


def _unknown(name: str, node: Node) -> str:
    near = difflib.get_close_matches(name, node.list_parameters([], 0).names, n=1)
    advice = f"did you mean {near[0]}?" if near else "see docs/parameters.md."
    return f"the parameter {name} is not known and changes nothing; {advice}"
