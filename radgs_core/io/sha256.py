"""Fingerprints of files."""

import hashlib
from pathlib import Path

BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content, or of the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    if path.is_file():
        _feed(digest, path)
    else:
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            # with the length, moving bytes from one file to the next changes the result
            digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
            _feed(digest, file)
    return digest.hexdigest()


def _feed(digest: "hashlib._Hash", file: Path) -> None:
    with file.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
