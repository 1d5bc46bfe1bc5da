"""The command line options that both programs have."""

import os
import sys

from .tools import REPOSITORY

SIDECAR = os.path.join(REPOSITORY, ".build", "release", "sidecar")
LITELLM = os.path.join(REPOSITORY, ".venv", "bin", "litellm")


def add_common(parser, port_base):
    parser.add_argument("--sidecar", metavar="BIN", default=SIDECAR)
    parser.add_argument("--config-extra", metavar="FILE", help="JSON merged into the sidecar's configuration")
    parser.add_argument("--proxy-cpus", default="0", help="CPU list of the proxy")
    parser.add_argument("--load-cpus", default="1", help="CPU list of the load generator and the mock")
    parser.add_argument("--port-base", type=int, default=port_base, help="the first of four free ports")
    parser.add_argument("--out", metavar="FILE", help="write all results as JSON")


def require_sidecar(path):
    """Ends the program when the binary has not been built."""
    if not os.path.exists(path):
        sys.exit(f"{path} is missing: build it with swift build -c release, or name another by --sidecar")
