import glob
import os
import sys

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


def setup_path():
    """Puts the virtual environment of this tree before what the system has."""
    environment = os.path.realpath(os.path.join(TREE, "zulip-current-venv"))
    packages = glob.glob(os.path.join(environment, "lib/python3*/site-packages"))
    if not packages:
        sys.exit(f"{TREE} has no virtual environment; scripts/lib/create-production-venv makes it")
    sys.prefix = environment
    sys.path[1:1] = packages
