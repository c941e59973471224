"""The parameters of both nodes: the one place where their type, default, range and description are written."""

import dataclasses
from dataclasses import dataclass
from typing import Any, TypeVar

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter

from radgs_core.registration.pipeline import InputError

Parameters = TypeVar("Parameters")


def _parameter(
    default: Any,
    description: str,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of a parameter class; ``minimum`` and ``maximum`` are inclusive."""
    metadata = {"description": description, "minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class RegistrationParameters:
    """Parameters of registration_node; read when the node is configured."""

    case: str = _parameter(
        "",
        "Folder of the patient's case, made by `radgs-reg prepare`; with networks in it (--minutes) no initialpose is"
        " needed.",
    )
    levels: str = _parameter("", "Levels to register, separated by commas, such as T12,L1; empty: all of the case.")
    reference_frame: str = _parameter("carm_base", "Frame that poses are expressed in and vertebra frames hang on.")
    intensity: str = _parameter(
        "transmission",
        "What pixels mean: transmission (counts, air bright) or attenuation (line integral, bone bright).",
        choices=("transmission", "attenuation"),
    )
    sync_mode: str = _parameter(
        "approximate",
        "Which images are a pair: approximate (live biplanar: stamps within sync_slop_s) or latest (one C-arm turned"
        " between shots: the latest of each view).",
        choices=("approximate", "latest"),
    )
    sync_slop_s: float = _parameter(
        0.05, "Largest difference of the stamps of a pair in sync_mode approximate, seconds.", 0.0, 60.0
    )
    auto_register: bool = _parameter(
        False,
        "Register every new pair (newest wins); otherwise only when ~/register is called. Without networks in the case"
        " nothing is registered before there is an initialpose.",
    )
    image_reliability: str = _parameter(
        "reliable",
        "Reliability asked of images and camera_info: reliable, or best_effort for drivers that offer only that.",
        choices=("reliable", "best_effort"),
    )
    tf_timeout_s: float = _parameter(
        0.5, "How long a registration waits for the transforms of its images, seconds.", 0.0, 60.0
    )
    autostart: bool = _parameter(False, "Configure and activate at start, without a lifecycle manager.")


@dataclass(frozen=True)
class CarmSimulatorParameters:
    """Parameters of carm_simulator_node; read when the node is configured."""

    case: str = _parameter("", "Folder of the patient's case, made by `radgs-reg prepare`.")
    levels: str = _parameter(
        "", "Levels that the views are centred on, separated by commas; empty: all of the case. Every level moves."
    )
    reference_frame: str = _parameter("carm_base", "Frame of the C-arm's base; origin at its isocentre.")
    ap_frame: str = _parameter("ap_optical", "Optical frame of the AP view.")
    lateral_frame: str = _parameter("lateral_optical", "Optical frame of the lateral view.")
    image_size: int = _parameter(512, "Width and height of the images, pixels.", 64, 4096)
    pixel_mm: float = _parameter(0.6, "Edge of a detector pixel, mm.", 0.05, 10.0)
    physics: str = _parameter(
        "realistic",
        "realistic (several energies, scatter, heel effect, collimator, saturation) or plain (one energy, noise,"
        " blur).",
        choices=("realistic", "plain"),
    )
    photons: float = _parameter(800.0, "Mean number of detected photons a pixel behind the patient.", 1.0, 1e7)
    motion_mm: float = _parameter(
        3.0, "Mean shift of each level at an exposure, from where the CT has it, mm.", 0.0, 30.0
    )
    motion_deg: float = _parameter(3.0, "Mean rotation of each level at an exposure, degrees.", 0.0, 30.0)
    seed: int = _parameter(0, "Seed of motion and noise: the same seed gives the same exposures.", 0, 2**31 - 1)
    autostart: bool = _parameter(False, "Configure and activate at start, without a lifecycle manager.")


def declare(node: Node, kind: type) -> None:
    """Declare every parameter of a parameter class; from then on wrong values are refused with the reason.

    Raises:
        InputError: a value given at start has the wrong type or is out of range.
    """
    choices = {field.name: field.metadata["choices"] for field in dataclasses.fields(kind) if field.metadata["choices"]}

    def check(parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            accepted = choices.get(parameter.name)
            if accepted and parameter.value not in accepted:
                reason = (
                    f"the parameter {parameter.name} must be one of {', '.join(accepted)}, not {parameter.value!r}."
                )
                return SetParametersResult(successful=False, reason=reason)
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check)
    for field in dataclasses.fields(kind):
        try:
            node.declare_parameter(field.name, field.default, descriptor(field))
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise InputError(f"{node.get_name()}: {error}") from error


def read(node: Node, kind: type[Parameters]) -> Parameters:
    """The present values of a declared parameter class."""
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: node.get_parameter(name).value for name in names})


def descriptor(field: dataclasses.Field) -> ParameterDescriptor:
    """Description and range of one field, as ROS has them."""
    message = ParameterDescriptor(name=field.name, description=field.metadata["description"])
    if field.metadata["choices"]:
        message.additional_constraints = "one of " + ", ".join(field.metadata["choices"])
    low, high = field.metadata["minimum"], field.metadata["maximum"]
    if low is not None and isinstance(field.default, float):
        message.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)]
    elif low is not None:
        message.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return message


def selected_levels(levels: str, available: list[str]) -> list[str]:
    """The levels that the parameter ``levels`` names, in the case's order.

    Raises:
        InputError: one of them is not in the case.
    """
    wanted = [label.strip() for label in levels.split(",") if label.strip()]
    unknown = [label for label in wanted if label not in available]
    if unknown:
        raise InputError(
            f"the parameter levels names {', '.join(unknown)}, but the case has {', '.join(available)};"
            " choose from these."
        )
    return [label for label in available if label in wanted] if wanted else list(available)
