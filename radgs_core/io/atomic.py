"""Output that appears complete or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from radgs_core.errors import InputError


def check_destination(path: Path | str, replaces_folder_with: str | None = None) -> None:
    """Refuse a path that ``written_atomically`` could not write to; worth asking before minutes of work.

    Args:
        path, replaces_folder_with: as for ``written_atomically``; the latter also says that a folder is to be written.

    Raises:
        InputError: something that must not be replaced is there, or no file can be made there.
    """
    path = Path(path)
    try:
        if path.is_dir():
            if replaces_folder_with is None:
                raise InputError(f"{path} is a folder, but a file is to be written there; choose another output path.")
            if any(path.iterdir()) and not (path / replaces_folder_with).exists():
                raise InputError(f"{path} is a folder that holds other files; delete it or choose another output path.")
        elif path.exists() and replaces_folder_with is not None:
            raise InputError(f"{path} is a file, but a folder is to be written there; choose another output path.")
        parent = next(parent for parent in path.absolute().parents if parent.exists())
        writable = parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)
    except OSError:  # not even allowed to look
        writable = False
    if not writable:
        raise InputError(f"{path} cannot be written (no permission or no folder); choose another output path.")


@contextmanager
def written_atomically(path: Path | str, replaces_folder_with: str | None = None) -> Iterator[Path]:
    """Give a temporary path to write to; it replaces ``path`` only when the block ends without an exception.

    The temporary path has the same name and suffix as ``path`` and lies on the same file system. The block creates it,
    as a file or as a folder. Missing parent folders of ``path`` are created. When the block fails, nothing of all this
    is left and what ``path`` held before is untouched.

    Args:
        path: file or folder to write. A file that exists is replaced.
        replaces_folder_with: name of a file that marks a folder as written by the caller. A folder that exists is
            replaced only if it is empty or holds this file, so that a slip in an argument cannot delete other data;
            without a name no folder is replaced.

    Raises:
        InputError: a folder stands at ``path`` that must not be replaced, or the file system refuses.
    """
    path = Path(path)
    check_destination(path, replaces_folder_with)
    created_parents: list[Path] = []
    try:
        created_parents = _create_parents(path.absolute())
        workspace = Path(tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}."))
    except OSError as error:
        _remove_empty(created_parents)
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose an output path you may write to."
        ) from error
    finished = False
    try:
        temporary = workspace / path.name
        yield temporary
        _replace(temporary, path, workspace / "replaced")
        finished = True
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); check the free space and the permissions there."
        ) from error
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
        if not finished:
            _remove_empty(created_parents)


def _create_parents(path: Path) -> list[Path]:
    """Create the missing parents of ``path``; returns them, deepest first."""
    missing = [parent for parent in path.parents if not parent.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return  # somebody else has put something there meanwhile


def _replace(temporary: Path, path: Path, aside: Path) -> None:
    """Move ``temporary`` to ``path``; a folder that stands there goes ``aside`` first: one step cannot replace it."""
    if path.is_dir() and not path.is_symlink():
        path.rename(aside)
        try:
            temporary.rename(path)
        except OSError:
            aside.rename(path)
            raise
    else:
        temporary.replace(path)
