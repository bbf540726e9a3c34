"""What uwsgi loads in each of its processes, after it went to the tree that `current` leads to."""

import os
import sys

# A path that doesn't move along with the link.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from scripts.lib.setup_path import setup_path  # noqa: E402

setup_path()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "zproject.settings")

from django.core.wsgi import get_wsgi_application  # noqa: E402

from zerver.process import announce  # noqa: E402

application = get_wsgi_application()
announce("django")
