"""The networks of one patient: trained before surgery, kept in the case."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

from radgs_core.detection.landmarks import LANDMARKS
from radgs_core.detection.network import DetectionNetwork, DetectionSize
from radgs_core.errors import InputError
from radgs_core.io.model_card import ModelCard
from radgs_core.io.weights_file import WeightsFile, read_weights, write_weights
from radgs_core.reconstruction.crops import CropSize
from radgs_core.reconstruction.presets import RecMPreset
from radgs_core.reconstruction.recm import RecM
from radgs_core.registration.regm import RegMPreset


@dataclass(frozen=True)
class LevelNetworks:
    """RecM and RegM; of many patients, or of one.

    Attributes:
        recm: reconstruction.
        regm: registration of the reconstruction.
        regm_preset: its size.
    """

    recm: RecM
    regm: nn.Module
    regm_preset: RegMPreset

    @classmethod
    def new(cls, recm: RecMPreset, regm: RegMPreset) -> "LevelNetworks":
        """Untrained ones."""
        return cls(RecM(recm), regm.network(recm.code), regm)

    @property
    def configuration(self) -> dict[str, Any]:
        """JSON values from which they can be built again."""
        return {"recm": asdict(self.recm.preset), "regm": asdict(self.regm_preset)}

    def save(self, path: Path, card: ModelCard) -> None:
        """Write them.

        Raises:
            InputError: the file cannot be written.
        """
        write_weights(path, {"recm": self.recm, "regm": self.regm}, self.configuration, card)

    @classmethod
    def read(cls, path: Path) -> "LevelNetworks":
        """Read what ``save`` or `Networks.save` wrote.

        Raises:
            InputError: the file is missing, damaged, or of something else.
        """
        return _level_networks(read_weights(path))


@dataclass(frozen=True)
class Networks:
    """What finds the levels of a patient and brings them close.

    Attributes:
        levels: labels that ``detection`` was trained for, in the order of its heat maps.
        detection: from X-rays to landmarks.
        per_level: from crops to poses.
        card: where they come from.
    """

    levels: Sequence[str]
    detection: DetectionNetwork
    per_level: LevelNetworks
    card: ModelCard

    def save(self, path: Path) -> None:
        """Write them into one file.

        Raises:
            InputError: the file cannot be written.
        """
        modules = {"detection": self.detection, "recm": self.per_level.recm, "regm": self.per_level.regm}
        configuration = {
            "levels": list(self.levels),
            "detection": asdict(self.detection.size),
            **self.per_level.configuration,
        }
        write_weights(path, modules, configuration, self.card)

    @classmethod
    def load(cls, path: Path) -> "Networks":
        """Read them, ready for inference.

        Raises:
            InputError: the file is missing, damaged, or of something else.
        """
        file = read_weights(path)
        try:
            levels = tuple(file.configuration["levels"])
            size = DetectionSize(
                tuple(file.configuration["detection"]["channels"]), file.configuration["detection"]["blocks"]
            )
        except (KeyError, TypeError) as error:
            raise _incomplete(path) from error
        detection = DetectionNetwork(len(levels) * len(LANDMARKS), size)
        file.fill("detection", detection)
        return cls(levels, detection.eval(), _level_networks(file), file.card)


def _level_networks(file: WeightsFile) -> LevelNetworks:
    try:
        recm: Mapping[str, Any] = file.configuration["recm"]
        recm_preset = RecMPreset(**{**recm, "crop": CropSize(**recm["crop"])})
        regm_preset = RegMPreset(**file.configuration["regm"])
    except (KeyError, TypeError) as error:
        raise _incomplete(file.path) from error
    networks = LevelNetworks.new(recm_preset, regm_preset)
    file.fill("recm", networks.recm)
    file.fill("regm", networks.regm)
    networks.recm.eval()
    networks.regm.eval()
    return networks


def _incomplete(path: Path) -> InputError:
    return InputError(f"{path} does not say how its networks are built; train them anew with radgs-reg prepare.")
