"""Libraries that are preloaded into the sidecar, from the C beside this file."""

import shutil
import subprocess
from pathlib import Path


def build(name: str, folder: Path) -> Path:
    """Compiles `name`.c into a library in the folder."""
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "there is no C compiler; clang comes with Swift"
    library = folder / f"{name}.so"
    source = Path(__file__).with_name(f"{name}.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O", "-o", library, source], check=True)
    return library
