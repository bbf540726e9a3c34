import asyncio

from django.conf import settings
from django.core.management.base import BaseCommand
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler

from zerver.process import about, announce


class Events(RequestHandler):
    """What the event system answers who waits for events: who it is, after as many seconds as were asked for."""

    async def get(self):
        await asyncio.sleep(float(self.get_query_argument("wait", "0")))
        self.write({"result": "success", "events": [], **about("tornado"), "port": self.application.settings["port"]})


class ReloadClients(RequestHandler):
    def post(self):
        if self.get_body_argument("secret") != settings.SHARED_SECRET:
            self.send_error(403)
            return
        # Nobody stays connected.
        self.write({"result": "success", "sent_events": 0, "complete": True})


class Command(BaseCommand):
    help = "Runs the event system."

    def add_arguments(self, parser):
        parser.add_argument("where", metavar="ADDRESS:PORT")

    def handle(self, *args, **options):
        address, port = options["where"].rsplit(":", 1)
        routes = [(r"/(?:json|api/v1)/events", Events), (r"/api/internal/web_reload_clients", ReloadClients)]
        Application(routes, port=int(port)).listen(int(port), address)
        announce("tornado")
        IOLoop.current().start()
