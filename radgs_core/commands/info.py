"""radgs-reg info: what a path is, in a few lines."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radgs_core.commands.arguments import add_json
from radgs_core.commands.output import print_json
from radgs_core.errors import InputError

if TYPE_CHECKING:
    from radgs_core.geometry.camera import BiplanarGeometry
    from radgs_core.io.model_card import ModelCard
    from radgs_core.volume import Volume

Facts = dict[str, Any]
"""JSON values by what they are called; ``kind`` comes first. Only ``card`` is a `ModelCard`: of networks."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "info", help="say what a case, study, recording, CT, geometry, poses or weights file is", description=__doc__
    )
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="case, study, rosbag2, CT, geometry.yaml, poses.json or .safetensors"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is known of a path; returns the exit code."""
    facts = {"path": str(arguments.path), **_facts(arguments.path)}
    card: ModelCard | None = facts.pop("card", None)
    if arguments.json:
        print_json(facts if card is None else {**facts, "card": card.to_json()})
        return 0
    for name, value in facts.items():
        print(f"{name.replace('_', ' ')}: {_line(value)}")
    if card is not None:
        print(f"\n{card.to_markdown()}", end="")
    return 0


def _facts(path: Path) -> Facts:
    from radgs_core.case_folder import MANIFEST
    from radgs_core.io.bag_reader import is_bag, lacks_metadata
    from radgs_core.io.nifti import is_nifti_name
    from radgs_core.xray.study import TRUTH

    if not path.exists():
        raise InputError(
            f"{path} does not exist; give a case, a study, a recording, a CT, a geometry.yaml or a poses.json."
        )
    if (path / MANIFEST).is_file():
        return _case(path)
    if (path / TRUTH).is_file():
        return _study(path)
    if is_bag(path) or lacks_metadata(path):
        return _bag(path)
    if path.is_dir() and not any(path.glob("*")):
        raise InputError(
            f"{path} is an empty folder, or one that cannot be read; give a case, a study, a recording or a DICOM"
            " series."
        )
    if path.is_dir() or is_nifti_name(path):
        return _ct(path)
    if path.suffix.lower() in (".yaml", ".yml"):
        return _geometry(path)
    if path.suffix.lower() == ".json":
        return _poses(path)
    if path.suffix.lower() == ".safetensors":
        return _weights(path)
    raise InputError(
        f"{path} is nothing that info knows; give a case, a study, a recording, a CT (folder, .nii, .nii.gz), a"
        " geometry.yaml, a poses.json or .safetensors."
    )


def _case(path: Path) -> Facts:
    from radgs_core.case import Case

    case = Case.load(path)
    return {
        "kind": "case",
        "levels": list(case.levels),
        "gaussians": {level: len(vertebra.gaussians.means_mm) for level, vertebra in case.levels.items()},
        "body": _grid(case.body_hu),
        "inputs": {role: entry.get("name") for role, entry in case.provenance.get("inputs", {}).items()},
        "parameters": case.provenance.get("parameters", {}),
        "networks": None if case.networks is None else list(case.networks.levels),
        **({} if case.networks is None else {"card": case.networks.card}),
    }


def _study(path: Path) -> Facts:
    from radgs_core.xray import read_study

    study = read_study(path)
    return {"kind": "study", "levels": list(study.truth.levels), **_views(study.geometry)}


def _bag(path: Path) -> Facts:
    from radgs_core.io.bag_reader import opened_bag
    from radgs_core.messages.image_transport import TRANSPORTS
    from radgs_core.replay.count import count_pairs

    suffixes = [f"/{transport.topic('ap')}" for transport in TRANSPORTS.values()]
    with opened_bag(path) as bag:
        pairs: dict[str, int | str] = {}
        for namespace in sorted(
            {topic.removesuffix(suffix) for topic in bag.kinds for suffix in suffixes if topic.endswith(suffix)}
        ):
            try:
                pairs[namespace or "/"] = count_pairs(bag, namespace)
            except InputError as error:
                pairs[namespace or "/"] = str(error)
        return {
            "kind": f"recording, {bag.storage}",
            "seconds": (bag.end_ns - bag.begin_ns) / 1e9,
            "topics": {topic: f"{bag.counts[topic]} {kind}" for topic, kind in bag.kinds.items()},
            "pairs": pairs,
        }


def _ct(path: Path) -> Facts:
    from radgs_core.io import read_ct

    volume = read_ct(path)
    kind = "DICOM series" if path.is_dir() else "NIfTI volume"
    return {"kind": kind, "grid": _grid(volume), "values": [float(volume.data.min()), float(volume.data.max())]}


def _geometry(path: Path) -> Facts:
    from radgs_core.io import read_geometry

    return {"kind": "geometry", **_views(read_geometry(path))}


def _poses(path: Path) -> Facts:
    from radgs_core.io import read_poses

    poses = read_poses(path)
    levels = {label: pose.status + (f" ({pose.reason})" if pose.reason else "") for label, pose in poses.levels.items()}
    return {"kind": "poses", "reference": poses.reference, "levels": levels}


def _weights(path: Path) -> Facts:
    from radgs_core.io.weights_file import read_weights

    file = read_weights(path)
    return {"kind": "weights", "modules": list(file.tensors), "card": file.card}


def _views(geometry: "BiplanarGeometry") -> Facts:
    views = {
        name: f"{camera.width} x {camera.height} pixels, {camera.intensity}, source at "
        + " ".join(f"{x:.1f}" for x in camera.source_mm)
        + " mm"
        for name, camera in geometry.views.items()
    }
    return {"reference": geometry.reference, "views": views}


def _grid(volume: "Volume") -> str:
    import numpy as np
    from nibabel.orientations import aff2axcodes

    axes = "".join(aff2axcodes(np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.T_ct_voxel))
    size = " x ".join(str(n) for n in volume.data.shape)
    spacing = " x ".join(f"{mm:.3g}" for mm in volume.spacing_mm)
    return f"{size} voxels of {spacing} mm, axes {axes}"


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_line(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(str(entry) for entry in value)
    return "none" if value is None else str(value)
