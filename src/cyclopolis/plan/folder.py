"""A new plan: a copy of a bundled example to begin with."""

import shutil
from pathlib import Path

from cyclopolis.examples import example as example_folder
from cyclopolis.foundation.files import write_folder_atomic
from cyclopolis.foundation.problems import user_error

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "results", "*.py", ".*")


def new_plan(directory: Path | str, example: str) -> Path:
    """Copy a bundled example into a new folder.

    Parameters
    ----------
    directory : Path or str
        Folder to make; it may exist when it is empty.
    example : str
        Name of the example.

    Returns
    -------
    Path of the folder

    Raises
    ------
    UserError
        If there is no such example, or if the folder holds anything or cannot be written.
    """
    source, target = example_folder(example), Path(directory)
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise user_error("plan.folder_taken", path=target)
        write_folder_atomic(target, lambda folder: _copy(source, folder))
    except OSError as error:
        raise user_error("plan.cannot_write", path=target, reason=error.strerror or type(error).__name__) from error
    return target


def _copy(source: Path, folder: Path) -> None:
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=_LEFT_OUT, copy_function=shutil.copyfile)
