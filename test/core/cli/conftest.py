"""Files of the phantom to run commands on, and a way to run them."""

import dataclasses
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pytest

from radgs_core.case import Case
from radgs_core.cli import main
from radgs_core.commands import messages, progress
from radgs_core.io import LabelMap, read_poses, write_poses
from radgs_core.volume import Volume
from radgs_core.xray import CArm, Physics, biplanar_geometry, simulate_study, write_study

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Files:
    """Paths of good input; tests that change a file do so in a copy."""

    ct: Path
    labels: Path
    case: Path
    study: Path

    @property
    def ap(self) -> Path:
        return self.study / "ap.png"

    @property
    def lateral(self) -> Path:
        return self.study / "lateral.png"

    @property
    def geometry(self) -> Path:
        return self.study / "geometry.yaml"

    @property
    def truth(self) -> Path:
        return self.study / "truth.json"

    @property
    def registration(self) -> list[str]:
        """Arguments of a registration that succeeds."""
        images = ["--ap", self.ap, "--lateral", self.lateral]
        return [str(a) for a in ("register", self.case, *images, "--geometry", self.geometry, "--initial", self.truth)]


@dataclass(frozen=True)
class Ended:
    """What a command left: exit code and both outputs."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def files(phantom: tuple[Volume, LabelMap], phantom_case: Case, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("phantom")
    ct, labels = phantom
    for name, volume in (("ct.nii.gz", ct), ("labels.nii.gz", labels.volume)):
        nibabel.Nifti1Image(volume.data, RAS_FROM_LPS @ volume.T_ct_voxel).to_filename(folder / name)
    phantom_case.save(folder / "case")
    geometry = biplanar_geometry(CArm(size=128, pixel_mm=2.0))
    study = simulate_study(phantom_case, ["T12", "L1"], geometry, Physics.plain(5000.0), 1.0, 1.0, seed=0)
    write_study(folder / "study", study)
    return Files(folder / "ct.nii.gz", folder / "labels.nii.gz", folder / "case", folder / "study")


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """``run("info", path)`` runs radgs-reg in this process, progress silent; what C libraries print is caught too."""
    monkeypatch.setattr(progress, "QUIET_S", math.inf)
    monkeypatch.setattr(messages, "LEAST", logging.WARNING)  # whether kernels are compiled depends on the machine

    def call(*arguments: object) -> Ended:
        capfd.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # from argparse
            assert isinstance(ended.code, int)
            code = ended.code
        return Ended(code, *capfd.readouterr())

    return call


@pytest.fixture
def rejected_poses(files: Files, tmp_path: Path) -> Path:
    """The truth as a result whose L1 is rejected and 3 mm off in x, T12 registered and right."""
    truth = read_poses(files.truth)
    off = truth.levels["L1"].T_reference_ct.copy()
    off[0, 3] += 3.0
    levels = {
        "T12": dataclasses.replace(truth.levels["T12"], expected_tre_mm=0.4),
        "L1": dataclasses.replace(truth.levels["L1"], T_reference_ct=off, status="rejected", reason="Blurred."),
    }
    write_poses(tmp_path / "poses.json", dataclasses.replace(truth, levels=levels))
    return tmp_path / "poses.json"
