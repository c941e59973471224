"""Declarations, the documents made of them, and what a node refuses or reports at start and at run time."""

import dataclasses
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticStatus
from node_parameters import set_parameter
from rcl_interfaces.srv import DescribeParameters, GetParameters

from radgs_core.io.label_schemes import LEVELS
from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.parameter_docs import page
from radgs_reg_ros.parameter_field import refusal
from radgs_reg_ros.parameters import NODES, CarmSimulatorParameters, RegistrationParameters, selected_levels

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config" / "radgs_reg.yaml"
NODE = "/theatre_2/registration_node"


@pytest.mark.parametrize(("node", "kind"), NODES.items())
def test_the_parameter_file_shows_every_default(node, kind):
    shown = yaml.safe_load(CONFIG.read_text())[f"/**/{node}"]["ros__parameters"]
    declared = dataclasses.asdict(kind())
    assert shown == declared
    assert list(shown) == list(declared), "in the order of the declarations"
    assert {name: type(value) for name, value in shown.items()} == {
        name: type(value) for name, value in declared.items()
    }


def test_the_parameter_file_names_no_other_node():
    assert set(yaml.safe_load(CONFIG.read_text())) == {f"/**/{node}" for node in NODES}


def test_the_document_is_what_the_declarations_say():
    assert (ROOT / "docs" / "parameters.md").read_text() == page(), "make parameters-doc writes it anew"


@pytest.mark.parametrize("kind", NODES.values())
def test_every_parameter_has_a_description_and_every_number_a_range(kind):
    for field in dataclasses.fields(kind):
        assert field.metadata["description"].endswith("."), field.name
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            low, high = field.metadata["span"]
            assert low <= field.default <= high, field.name
        assert refusal(field, field.default) == ""


@pytest.mark.parametrize("kind", NODES.values())
def test_every_text_but_the_folder_has_choices_or_a_form(kind):
    texts = {field.name: field for field in dataclasses.fields(kind) if isinstance(field.default, str)}
    free = [name for name, field in texts.items() if not field.metadata["choices"] and not field.metadata["text"]]
    assert free == ["case"]


FIELDS = {field.name: field for field in dataclasses.fields(RegistrationParameters)}


@pytest.mark.parametrize(
    ("name", "good", "wrong"),
    [
        (
            "levels",
            ["", "L1", " T12 , L1", "T12,L1,", ",".join(LEVELS)],
            ["t12", "T14", "C8", "L7", "S2", "T12;L1", "T12 L1", ",", ",L1", "T12,,L1", "L01"],
        ),
        ("reference_frame", ["carm_base", "robot/base"], ["", " ", "/carm_base", "carm base", "carm_base\n"]),
        ("frame_prefix", ["", "left/", "left_"], ["/left/", "left one/", " "]),
    ],
)
def test_forms_of_texts(name, good, wrong):
    assert [text for text in good if refusal(FIELDS[name], text)] == []
    assert [text for text in wrong if not refusal(FIELDS[name], text)] == []


@pytest.mark.parametrize("value", [0.0, 60.0, 0.05])
def test_the_ends_of_a_range_belong_to_it(value):
    assert refusal(FIELDS["sync_slop_s"], value) == ""


def test_the_speed_of_the_clock_goes_from_standing_to_what_its_steps_allow():
    """A step of /clock is a hundredth of real time: at a thousand it is all that TF remembers."""
    (factor,) = (f for f in dataclasses.fields(CarmSimulatorParameters) if f.name == "real_time_factor")
    assert [refusal(factor, value) for value in (0.0, 200.0, 1000.0)] == [""] * 3
    for value in (-0.1, 1000.1, math.inf, math.nan, 5):
        assert "must be of type double, 0.0 to 1000.0" in refusal(factor, value)


@pytest.mark.parametrize("value", [-1e-9, 60.1, math.nan, math.inf, True, "1.0", None])
def test_a_refusal_says_what_is_accepted(value):
    assert refusal(FIELDS["sync_slop_s"], value) == (
        f"the parameter sync_slop_s must be of type double, 0.0 to 60.0, not {value!r}."
    )


def test_a_whole_number_for_a_double_is_told_how_to_write_it():
    assert refusal(FIELDS["sync_slop_s"], 1) == (
        "the parameter sync_slop_s must be of type double, 0.0 to 60.0, not 1; write 1.0."
    )
    assert refusal(FIELDS["sync_slop_s"], 100).endswith("not 100.")


def test_levels_come_in_the_order_of_the_case():
    assert selected_levels(" L1,T11", ["T11", "T12", "L1"]) == ["T11", "L1"]
    assert selected_levels("", ["T11", "T12"]) == ["T11", "T12"]
    with pytest.raises(InputError, match=r"L4.*the case has T11, T12"):
        selected_levels("T11,L4", ["T11", "T12"])


@pytest.fixture(scope="module")
def node(start_node, remote):
    """A node in a namespace, with the parameter file and one value beside it."""
    process = start_node("registration_node", "-r", "__ns:=/theatre_2", "--params-file", str(CONFIG), sync_slop_s=0.125)
    remote.watch(process)
    return process


def test_the_parameter_file_holds_in_a_namespace_and_values_beside_it_win(node, remote, tmp_path, start_node):
    values = remote.call(
        GetParameters, f"{NODE}/get_parameters", GetParameters.Request(names=["sync_slop_s", "sync_mode"]), 30.0
    ).values
    assert [values[0].double_value, values[1].string_value] == [0.125, "approximate"]
    room = tmp_path / "room.yaml"
    room.write_text(CONFIG.read_text().replace("sync_mode: approximate", "sync_mode: latest"))
    remote.watch(start_node("registration_node", "-r", "__ns:=/theatre_3", "--params-file", str(room)))
    names = GetParameters.Request(names=["sync_mode"])
    values = remote.call(GetParameters, "/theatre_3/registration_node/get_parameters", names, 30.0).values
    assert values[0].string_value == "latest"


def test_descriptions_and_ranges_reach_tools(node, remote):
    request = DescribeParameters.Request(names=["sync_slop_s", "sync_mode"])
    slop, mode = remote.call(DescribeParameters, f"{NODE}/describe_parameters", request, 30.0).descriptors
    assert "seconds" in slop.description
    assert (slop.floating_point_range[0].from_value, slop.floating_point_range[0].to_value) == (0.0, 60.0)
    assert "approximate, latest" in mode.additional_constraints


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("sync_mode", "sometimes", "one of approximate, latest"),
        ("sync_slop_s", -1.0, "sync_slop_s"),
        ("tf_timeout_s", math.nan, "tf_timeout_s"),
        ("auto_register", 1, "of type bool, not 1"),
        ("tf_timeout_s", 1, "of type double"),
        ("reference_frame", "", "the name of a frame"),
        ("levels", "T12;L1", "with commas between them"),
        ("autostart", True, "read-only"),
        ("levles", "T12", "did you mean levels?"),
        ("gain", 1.0, "see docs/parameters.md."),
    ],
)
def test_wrong_values_are_refused_at_run_time_with_the_reason(node, remote, name, value, reason):
    result = set_parameter(remote, NODE, name, value)
    assert not result.successful
    assert reason in result.reason


def ended(domain: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A node that ends by itself."""
    command = [sys.executable, "-m", "radgs_reg_ros.registration_node", "--ros-args", *arguments]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


@pytest.mark.parametrize(
    "argument",
    [
        "sync_mode:=sometimes",
        "sync_slop_s:=-1.0",
        "sync_slop_s:=soon",
        "auto_register:=3",
        "levels:=T12;L1",
        "reference_frame:=''",
    ],
)
def test_wrong_values_at_start_end_the_process_with_one_sentence(argument, domain):
    node = ended(domain, "-p", argument)
    assert node.returncode == 2
    (sentence,) = node.stderr.strip().splitlines()
    assert argument.split(":=")[0] in sentence


def test_a_file_of_parameters_that_is_not_there_ends_the_process(domain, tmp_path):
    node = ended(domain, "--params-file", str(tmp_path / "nowhere.yaml"))
    assert node.returncode == 2
    assert node.stderr.strip().splitlines()[-1].startswith("the ROS arguments cannot be used")
    assert "nowhere.yaml" in node.stderr


def test_unknown_names_at_start_are_warnings_with_the_name_that_is_near(start_node, remote, diagnostics, tmp_path):
    room = tmp_path / "room.yaml"
    room.write_text("/**/registration_node:\n  ros__parameters: {refrence_frame: robot, use_sim_time: false}\n")
    process = start_node("registration_node", "--params-file", str(room), levles="T12", gain=1.0)
    remote.watch(process)
    told = diagnostics.wait("parameters", lambda s: s.level == DiagnosticStatus.WARN, "unknown names")
    assert "refrence_frame is not known and changes nothing; did you mean reference_frame?" in told.message
    assert "levles is not known and changes nothing; did you mean levels?" in told.message
    assert "gain is not known and changes nothing; see docs/parameters.md." in told.message
    assert "use_sim_time" not in told.message
    assert told.message in process.log.read_text()
