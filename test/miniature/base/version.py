"""The version of this tree. A release's archive, and a checkout that was looked at, tells it more exactly."""

import os

ZULIP_VERSION = "0.0+git"
ZULIP_MERGE_BASE = ZULIP_VERSION

_exactly = os.path.join(os.path.dirname(os.path.abspath(__file__)), "zulip-git-version")
if os.path.exists(_exactly):
    with open(_exactly, encoding="utf-8") as _file:
        _lines = _file.read().splitlines()
    ZULIP_VERSION = _lines[0]
    ZULIP_MERGE_BASE = _lines[1] if len(_lines) > 1 else ZULIP_VERSION
