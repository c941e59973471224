import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.parameter import Parameter

from radgs_core.registration.pipeline import InputError
from radgs_reg_ros.parameters import CarmSimulatorParameters, RegistrationParameters, selected_levels

CONFIG = Path(__file__).parents[2] / "config" / "radgs_reg.yaml"
NODES = {"registration_node": RegistrationParameters, "carm_simulator_node": CarmSimulatorParameters}
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


@pytest.mark.parametrize("kind", NODES.values())
def test_every_parameter_has_a_description_and_every_number_a_range(kind):
    for field in dataclasses.fields(kind):
        assert field.metadata["description"].endswith("."), field.name
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            low, high = field.metadata["minimum"], field.metadata["maximum"]
            assert low <= field.default <= high, field.name
        if field.metadata["choices"]:
            assert field.default in field.metadata["choices"], field.name


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
    [("sync_mode", "sometimes", "one of approximate, latest"), ("sync_slop_s", -1.0, "sync_slop_s")],
)
def test_wrong_values_are_refused_at_run_time_with_the_reason(node, remote, name, value, reason):
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    result = remote.call(SetParameters, f"{NODE}/set_parameters", request, 30.0).results[0]
    assert not result.successful
    assert reason in result.reason


@pytest.mark.parametrize(
    "argument", ["sync_mode:=sometimes", "sync_slop_s:=-1.0", "sync_slop_s:=soon", "auto_register:=3"]
)
def test_wrong_values_at_start_end_the_process_with_one_sentence(argument, domain):
    command = [sys.executable, "-m", "radgs_reg_ros.registration_node", "--ros-args", "-p", argument]
    environment = {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert ended.returncode == 2
    (sentence,) = ended.stderr.strip().splitlines()
    assert argument.split(":=")[0] in sentence
