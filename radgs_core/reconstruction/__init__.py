from radgs_core.reconstruction.anchors import anchors_of
from radgs_core.reconstruction.crops import Crops, CropSize, crop_levels
from radgs_core.reconstruction.gaussian_head import GaussianBatch
from radgs_core.reconstruction.presets import PRESETS, RecMPreset
from radgs_core.reconstruction.recm import RecM, Reconstruction

__all__ = [
    "PRESETS",
    "CropSize",
    "Crops",
    "GaussianBatch",
    "RecM",
    "RecMPreset",
    "Reconstruction",
    "anchors_of",
    "crop_levels",
]
