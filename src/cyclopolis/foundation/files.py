"""Writing that leaves the last good state when it is interrupted."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a whole file or nothing.

    Parameters
    ----------
    path : Path
        Where the file shall stand; its folder is made if needed.
    content : bytes or str
        What it shall hold; text is written as UTF-8.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_folder_atomic(folder: Path, fill: Callable[[Path], None]) -> None:
    """Replace a whole folder by a new one, or leave it as it was.

    Parameters
    ----------
    folder : Path
        Folder to make or replace.
    fill : callable
        Writes the new contents into the empty folder that it is given.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    old = folder.with_name(f".{folder.name}.old")
    try:
        fill(fresh)
        fresh.chmod(0o755)
        if old.exists():
            shutil.rmtree(old)
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    except BaseException:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    return sha256(path.read_bytes()).hexdigest()


def dump_json(value: object) -> str:
    """Return ``value`` as stable, readable JSON text that ends with a new line."""
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str) + "\n"
