#!/usr/bin/env python3
"""Runs a command of this tree, as the user who owns it."""

import os
import shlex
import sys
import time

TREE = os.path.dirname(os.path.realpath(__file__))
SECRETS = "/etc/zulip/zulip-secrets.conf"
LOG = "/var/log/zulip/manage.log"


def main():
    if os.getuid() == 0:
        sys.exit(f"manage.py doesn't run as root: su zulip -c '{os.path.join(TREE, 'manage.py')} {shlex.join(sys.argv[1:])}'")
    if not os.access(SECRETS, os.R_OK):
        sys.exit(f"manage.py runs as a user who may read {SECRETS}")
    os.chdir(TREE)
    sys.path.insert(0, TREE)

    from scripts.lib.setup_path import setup_path

    setup_path()
    with open(LOG, "a", encoding="utf-8") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} {shlex.join(sys.argv[1:])}\n")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zproject.settings")

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
