"""Which code made a file, told without version control."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

SOURCES = ("*.py", "*.h")


def code_version() -> str:
    """Version of radgs-core and the start of the SHA-256 of its source files, e.g. ``0.1.0 (3f9a01c2d4e5)``."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in root.rglob(pattern)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    try:
        number = version("radgs-core")
    except PackageNotFoundError:  # run from a source tree
        number = "not installed"
    return f"{number} ({digest.hexdigest()[:12]})"
