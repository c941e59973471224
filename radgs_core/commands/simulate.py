"""radgs-reg simulate: two X-rays of a bent spine, their geometry and the true poses."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from radgs_core.commands.arguments import add_json, finite, image_size, levels, not_negative, seed, up_to
from radgs_core.commands.output import print_json
from radgs_core.commands.progress import shown_progress
from radgs_core.errors import InputError

if TYPE_CHECKING:
    from radgs_core.geometry.camera import BiplanarGeometry

CARM_OPTIONS = {
    "source_to_detector_mm": "--source-to-detector-mm",
    "source_to_isocentre_mm": "--source-to-isocentre-mm",
    "pixel_mm": "--pixel-mm",
    "size": "--size",
}
ANGLE_OPTIONS = {"ap_deg": "--ap-angles", "lateral_deg": "--lateral-angles"}
"""Arguments of ``CArm`` and of ``biplanar_geometry``, and the options that give them."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("simulate", help="take two X-rays of a case, its spine bent", description=__doc__)
    parser.add_argument("case", type=Path, metavar="CASE", help="folder made by radgs-reg prepare")
    parser.add_argument("--out", type=Path, required=True, metavar="STUDY", help="folder to write")
    parser.add_argument(
        "--levels", type=levels, metavar="T12,L1", help="vertebrae that the C-arm is centred on (default: all)"
    )
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="of motion, physics and noise (default: 0)")
    parser.add_argument("--physics", choices=("realistic", "plain"), default="realistic", help="(default: realistic)")
    parser.add_argument(
        "--motion-mm", type=up_to(30.0), default=3.0, metavar="MM", help="mean shift of a level (default: 3)"
    )
    parser.add_argument(
        "--motion-deg", type=up_to(30.0), default=3.0, metavar="DEG", help="mean rotation of a level (default: 3)"
    )
    parser.add_argument(
        "--photons",
        type=not_negative,
        default=800.0,
        metavar="N",
        help="mean detected photons a pixel behind the patient (default: 800)",
    )
    carm = parser.add_argument_group(
        "C-arm", "supine patient, isocentre in the middle of the levels; see docs/frames.md"
    )
    carm.add_argument(
        "--geometry", type=Path, metavar="FILE", help="geometry.yaml in carm_base, instead of what follows"
    )
    angles = ("ORBITAL", "ANGULAR")
    carm.add_argument("--ap-angles", dest="ap_deg", nargs=2, type=finite, metavar=angles, help="degrees (default: 0 0)")
    carm.add_argument(
        "--lateral-angles", dest="lateral_deg", nargs=2, type=finite, metavar=angles, help="degrees (default: 90 0)"
    )
    carm.add_argument("--size", type=image_size, metavar="PX", help="rows and columns of the images (default: 512)")
    carm.add_argument("--pixel-mm", type=finite, metavar="MM", help="edge of a pixel (default: 0.6)")
    carm.add_argument("--source-to-detector-mm", type=finite, metavar="MM", help="(default: 1020)")
    carm.add_argument("--source-to-isocentre-mm", type=finite, metavar="MM", help="(default: 700)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Simulate and write; returns the exit code."""
    import numpy as np

    from radgs_core.case import Case
    from radgs_core.io.atomic import check_destination
    from radgs_core.xray import Physics, simulate_study, write_study
    from radgs_core.xray.study import GEOMETRY, TRUTH, image_path

    check_destination(arguments.out, replaces_folder_with=TRUTH)
    geometry = _geometry(arguments)
    physics = Physics.named(arguments.physics, np.random.default_rng([arguments.seed, 1]), arguments.photons)
    case = Case.load(arguments.case)
    centred = arguments.levels or list(case.levels)
    for level in centred:
        if level not in case.levels:
            raise InputError(f"{arguments.case} has no {level}; it holds {', '.join(case.levels)}.")
    with shown_progress("simulating"):
        study = simulate_study(
            case, centred, geometry, physics, arguments.motion_mm, arguments.motion_deg, arguments.seed
        )
        write_study(arguments.out, study)
    images = {view: str(image_path(arguments.out, view)) for view in study.images}
    if arguments.json:
        print_json(
            {
                "study": str(arguments.out),
                "images": images,
                "geometry": str(arguments.out / GEOMETRY),
                "truth": str(arguments.out / TRUTH),
                "levels": list(study.truth.levels),
            }
        )
    else:
        print(f"{arguments.out}: {', '.join(Path(image).name for image in images.values())}, {GEOMETRY}, {TRUTH}")
    return 0


def _geometry(arguments: argparse.Namespace) -> "BiplanarGeometry":
    from radgs_core.io import read_geometry
    from radgs_core.xray.carm import REFERENCE, CArm, biplanar_geometry

    given = {name: value for name, value in vars(arguments).items() if value is not None}
    carm = {name: given[name] for name in CARM_OPTIONS if name in given}
    angles = {name: given[name] for name in ANGLE_OPTIONS if name in given}
    if arguments.geometry is None:
        return biplanar_geometry(CArm(**carm), **angles)
    if carm or angles:
        options = ", ".join(option for name, option in (CARM_OPTIONS | ANGLE_OPTIONS).items() if name in given)
        raise InputError(f"{arguments.geometry} already says where the C-arm is; leave out {options} or --geometry.")
    geometry = read_geometry(arguments.geometry)
    if geometry.reference != REFERENCE:
        raise InputError(
            f"{arguments.geometry} has the reference {geometry.reference}, but the simulated patient lies in"
            f" {REFERENCE}; give the views in that frame."
        )
    for camera in geometry.views.values():
        if camera.intensity != "transmission":
            raise InputError(f"{camera.name} asks for {camera.intensity}, but simulated X-rays are transmission.")
    return geometry
