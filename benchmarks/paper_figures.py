"""Figures that the authors of RadGS-Reg published (arXiv 2508.21154), for comparison. None of them was measured here.

They come from other patients, images and starts, one GPU, and times are those of a single vertebra.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PaperRow:
    """One method of the paper's first table; empty where it gives nothing.

    Attributes:
        name: of the method.
        ssim_percent, psnr_db, mtre_mm: mean ± std.
        capture_range_mm: the bin in which it ends.
        success_percent: by the paper's definition.
        seconds: for one vertebra.
    """

    name: str
    ssim_percent: str
    psnr_db: str
    mtre_mm: str
    capture_range_mm: str
    success_percent: str
    seconds: str


COMPARISON = (
    PaperRow("DiffPose", "", "", "10.49 ± 9.90", "10-15", "20.00", "139.24"),
    PaperRow("DDGS-CT", "", "", "13.90 ± 11.84", "15-20", "16.67", "72.99"),
    PaperRow("TS-SAR", "", "", "4.89 ± 1.20", "0-5", "6.67", "1.72"),
    PaperRow("R2-Gaussian", "52.36 ± 2.21", "15.79 ± 0.54", "", "", "", ""),
    PaperRow("RadGS-Reg", "94.51 ± 0.39", "28.80 ± 0.33", "1.14 ± 1.01", "20-25", "93.33", "0.82"),
)

ABLATION_MTRE_MM = {"P1": "4.03", "P1+P2": "1.36", "RadGS-Reg": "1.14", "RegM without RecM": "4.70"}
"""Mean TRE of the paper's second table."""
