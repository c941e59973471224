"""One small prepared case for all ROS tests."""

import hashlib
from pathlib import Path

from radgs_core.io.ct import read_ct
from radgs_core.io.example import example_ct
from radgs_core.io.labels import read_labels
from radgs_core.preparation import prepare_case

ROOT = Path(__file__).parents[2]
LEVELS = ["T12", "L1"]
PREPARING = ("preparation", "radgs", "io", "case.py", "case_folder.py")
"""Parts of radgs_core that decide what a case holds."""


def small_case() -> Path:
    """The example CT's T12 and L1; kept under build/ until the code that prepares it changes."""
    core = ROOT / "radgs_core"
    sources = hashlib.sha256()
    for source in sorted(core.rglob("*.py")):
        if source.relative_to(core).parts[0] in PREPARING:
            sources.update(source.read_bytes())
    folder = ROOT / "build" / "test" / f"case-{'-'.join(LEVELS)}-{sources.hexdigest()[:12]}"
    if not folder.exists():
        ct_path, labels_path = example_ct()
        ct = read_ct(ct_path)
        case = prepare_case(ct, read_labels(labels_path, ct), LEVELS, lambda fraction, message: None, {})
        folder.parent.mkdir(parents=True, exist_ok=True)
        case.save(folder)
    return folder
