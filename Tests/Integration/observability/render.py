"""Renders a compose file by podman-compose for many choices of profiles, in one process.

python render.py FILE ENV_FILE FOLDER core core,dify …      writes FOLDER/core, FOLDER/core,dify, …

podman-compose takes seconds for a file of this size, nearly all of them for looking for variables in texts that have no
dollar sign: those are left as they are here.
"""

import asyncio
import os
import sys
from pathlib import Path

import podman_compose

interpolate = podman_compose.var_interpolate


def interpolate_where_needed(value: str, *others: object) -> str:
    return interpolate(value, *others) if "$" in value else value


def render(file: str, env_file: str, output: Path, profiles: list[str]) -> None:
    # Its output is by print, and its state global: a process for each choice.
    child = os.fork()
    if child == 0:
        sys.argv = ["podman-compose", "--file", file, "--env-file", env_file]
        sys.argv += [f"--profile={profile}" for profile in profiles] + ["config"]
        os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT, 0o600), 1)
        asyncio.run(podman_compose.async_main())
        sys.stdout.flush()
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        sys.exit(f"podman-compose refuses profiles {profiles}")


if __name__ == "__main__":
    podman_compose.var_interpolate = interpolate_where_needed
    file, env_file, folder, *choices = sys.argv[1:]
    for choice in choices:
        render(file, env_file, Path(folder, choice), choice.split(","))
