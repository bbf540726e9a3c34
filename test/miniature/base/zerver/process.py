"""What a process of the application says of itself. The tree is the one that it was loaded from, when it started."""

import os
import signal

from django.conf import settings


def about(program):
    return {
        "program": program,
        "version": settings.ZULIP_VERSION,
        "tree": settings.DEPLOY_ROOT,
        "pid": os.getpid(),
    }


def announce(program):
    print(f"{program} of {settings.ZULIP_VERSION} runs from {settings.DEPLOY_ROOT} as {os.getpid()}", flush=True)


class Stopped:
    """False until the process is told to end."""

    def __init__(self):
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._tell)

    def _tell(self, _number, _frame):
        self._told = True

    def __bool__(self):
        return self._told
