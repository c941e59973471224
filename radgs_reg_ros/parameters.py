"""The parameters of both nodes: the one place where their type, default, range and description are written."""

from dataclasses import dataclass

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.parameter_field import FRAME, FRAME_PREFIX, LEVELS, Effect, parameter

AT_ONCE, CONFIGURE, START = Effect.AT_ONCE, Effect.CONFIGURE, Effect.START


@dataclass(frozen=True)
class RegistrationParameters:
    """Parameters of registration_node."""

    case: str = parameter(
        "",
        CONFIGURE,
        "Folder of the patient's case, made by `radgs-reg prepare`; with networks in it (--minutes) no initialpose is"
        " needed.",
    )
    levels: str = parameter(
        "",
        CONFIGURE,
        "Levels to register, separated by commas, such as T12,L1; empty: all of the case.",
        text=LEVELS,
    )
    reference_frame: str = parameter(
        "carm_base", CONFIGURE, "Frame that poses are expressed in and vertebra frames hang on.", text=FRAME
    )
    frame_prefix: str = parameter(
        "",
        CONFIGURE,
        "Put before the names of the vertebra frames, such as left/, so that two systems can share one TF tree;"
        " reference_frame stays as it is.",
        text=FRAME_PREFIX,
    )
    intensity: str = parameter(
        "transmission",
        CONFIGURE,
        "What pixels mean: transmission (counts, air bright) or attenuation (line integral, bone bright).",
        choices=("transmission", "attenuation"),
    )
    sync_mode: str = parameter(
        "approximate",
        CONFIGURE,
        "Which images are a pair: approximate (live biplanar: stamps within sync_slop_s) or latest (one C-arm turned"
        " between shots: the latest of each view).",
        choices=("approximate", "latest"),
    )
    sync_slop_s: float = parameter(
        0.02,
        AT_ONCE,
        "Largest difference of the stamps of a pair in sync_mode approximate, seconds. Below the time between two"
        " images of a stream, else an image whose partner is lost may be paired with the next one's.",
        (0.0, 60.0),
    )
    sync_max_age_s: float = parameter(
        600.0,
        AT_ONCE,
        "The same in sync_mode latest: an image of the other view that is older makes no pair. The patient must not"
        " have moved between the two.",
        (0.0, 86400.0),
    )
    auto_register: bool = parameter(
        False,
        AT_ONCE,
        "Register every new pair (newest wins); otherwise only when ~/register is called. Without networks in the case"
        " nothing is registered before there is an initialpose.",
    )
    image_transport: str = parameter(
        "raw",
        CONFIGURE,
        "How images come: raw, or compressed (ap/image/compressed and lateral/image/compressed, PNG of 8 or 16 bits).",
        choices=("raw", "compressed"),
    )
    image_reliability: str = parameter(
        "reliable",
        CONFIGURE,
        "Reliability asked of images and camera_info: reliable, or best_effort for drivers that offer only that.",
        choices=("reliable", "best_effort"),
    )
    tf_timeout_s: float = parameter(
        0.5, AT_ONCE, "How long a registration waits for the transforms of its images, seconds.", (0.0, 60.0)
    )
    autostart: bool = parameter(False, START, "Configure and activate at start, without a lifecycle manager.")


@dataclass(frozen=True)
class CarmSimulatorParameters:
    """Parameters of carm_simulator_node."""

    case: str = parameter("", CONFIGURE, "Folder of the patient's case, made by `radgs-reg prepare`.")
    levels: str = parameter(
        "",
        CONFIGURE,
        "Levels that the views are centred on, separated by commas; empty: all of the case. Every level moves.",
        text=LEVELS,
    )
    reference_frame: str = parameter(
        "carm_base", CONFIGURE, "Frame of the C-arm's base; origin at its isocentre.", text=FRAME
    )
    ap_frame: str = parameter("ap_optical", CONFIGURE, "Optical frame of the AP view.", text=FRAME)
    lateral_frame: str = parameter("lateral_optical", CONFIGURE, "Optical frame of the lateral view.", text=FRAME)
    carm_frame: str = parameter(
        "carm_optical",
        CONFIGURE,
        "Optical frame of the C-arm where it is, for X-rays that are taken one at a time.",
        text=FRAME,
    )
    frame_prefix: str = parameter(
        "",
        CONFIGURE,
        "Put before the names of all frames but reference_frame, such as left/, so that two systems can share one TF"
        " tree.",
        text=FRAME_PREFIX,
    )
    publish_tf: bool = parameter(
        True,
        CONFIGURE,
        "Publish the frames of C-arm and table; false where robot_state_publisher does so from joint_states.",
    )
    joint_states: str = parameter(
        "publish",
        CONFIGURE,
        "publish (this node moves the C-arm as carm/command asks) or follow (another simulation does, such as Gazebo,"
        " and publishes joint_states).",
        choices=("publish", "follow"),
    )
    turning_deg_s: float = parameter(
        20.0, AT_ONCE, "Speed of the C-arm's angles, degrees a second, from the next command on.", (0.1, 1000.0)
    )
    table_mm_s: float = parameter(
        50.0, AT_ONCE, "Speed of the table along each axis, mm a second, from the next command on.", (0.1, 10000.0)
    )
    clock: str = parameter(
        "follow",
        CONFIGURE,
        "follow (the system's time, with use_sim_time that of /clock) or publish (this node publishes /clock and needs"
        " use_sim_time).",
        choices=("follow", "publish"),
    )
    real_time_factor: float = parameter(
        1.0,
        AT_ONCE,
        "clock publish: seconds of /clock that pass in one of real time; 0: the clock stands. TF remembers ten of these"
        " seconds: above 20 registrations may come too late for it.",
        (0.0, 1000.0),
    )
    image_size: int = parameter(512, CONFIGURE, "Width and height of the images, pixels.", (64, 4096))
    pixel_mm: float = parameter(0.6, CONFIGURE, "Edge of a detector pixel, mm.", (0.05, 10.0))
    physics: str = parameter(
        "realistic",
        CONFIGURE,
        "realistic (several energies, scatter, heel effect, collimator, saturation) or plain (one energy, noise,"
        " blur).",
        choices=("realistic", "plain"),
    )
    photons: float = parameter(
        800.0, AT_ONCE, "Mean number of detected photons a pixel behind the patient.", (1.0, 1e7)
    )
    motion_mm: float = parameter(
        3.0, AT_ONCE, "Mean shift of each level at an exposure, from where the CT has it, mm.", (0.0, 30.0)
    )
    motion_deg: float = parameter(3.0, AT_ONCE, "Mean rotation of each level at an exposure, degrees.", (0.0, 30.0))
    image_transport: str = parameter(
        "raw",
        CONFIGURE,
        "How images go: raw, or compressed (ap/image/compressed and lateral/image/compressed, PNG of 16 bits).",
        choices=("raw", "compressed"),
    )
    drop_share: float = parameter(
        0.0, AT_ONCE, "Share of the messages of images and camera_info that are lost, each on its own.", (0.0, 1.0)
    )
    duplicate_share: float = parameter(
        0.0,
        AT_ONCE,
        "Share of the messages of images and camera_info, of those not lost, that are sent twice.",
        (0.0, 1.0),
    )
    delay_s: float = parameter(
        0.0,
        AT_ONCE,
        "How much later than truth and TF of an exposure its images and camera_info are sent, seconds.",
        (0.0, 60.0),
    )
    seed: int = parameter(
        0,
        CONFIGURE,
        "Seed of motion, noise and lost and doubled messages: the same seed gives the same exposures.",
        (0, 2**31 - 1),
    )
    autostart: bool = parameter(False, START, "Configure and activate at start, without a lifecycle manager.")


NODES = {"registration_node": RegistrationParameters, "carm_simulator_node": CarmSimulatorParameters}
"""Parameter class by node."""


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
