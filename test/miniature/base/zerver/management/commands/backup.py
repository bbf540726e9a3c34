import os
import platform
import subprocess
import tempfile
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection


class Command(BaseCommand):
    help = "Writes settings, database and uploads into an archive."

    def add_arguments(self, parser):
        parser.add_argument("--output", help="the archive; without it, a new file in /tmp")
        parser.add_argument("--skip-db", action="store_true")
        parser.add_argument("--skip-uploads", action="store_true")

    def handle(self, *args, **options):
        with tempfile.TemporaryDirectory(prefix="zulip-backup-") as folder:
            members = ["zulip-backup"]
            moves = []
            os.mkdir(os.path.join(folder, "zulip-backup"))
            system = platform.freedesktop_os_release()
            facts = {
                "zulip-version": settings.ZULIP_VERSION,
                "os-version": f"{system['ID']} {system['VERSION_ID']}",
                "postgres-version": str(connection.cursor().connection.server_version),
            }
            for name, text in facts.items():
                with open(os.path.join(folder, "zulip-backup", name), "w", encoding="utf-8") as file:
                    print(text, file=file)
            if not options["skip_db"]:
                self.dump(os.path.join(folder, "zulip-backup/database"))
            kept = {"settings": "/etc/zulip"}
            if settings.LOCAL_UPLOADS_DIR and not options["skip_uploads"]:
                kept["uploads"] = os.path.join(settings.DEPLOY_ROOT, settings.LOCAL_UPLOADS_DIR)
            for name, path in kept.items():
                if os.path.exists(path):
                    members.append(path)
                    moves.append(f"--transform=s|^{os.path.realpath(path)}|zulip-backup/{name}|")
            self.pack(folder, moves, [os.path.realpath(m) if m.startswith("/") else m for m in members], options["output"])

    def dump(self, to):
        database = connection.get_connection_params()
        version = connection.pg_version // 10000
        command = [f"/usr/lib/postgresql/{version}/bin/pg_dump", "--format=directory", f"--file={to}", "--no-password"]
        for option, name in (("host", "host"), ("port", "port"), ("username", "user"), ("dbname", "database")):
            if database.get(name):
                command.append(f"--{option}={database[name]}")
        subprocess.run(command, check=True, env={**os.environ, "PGPASSWORD": database.get("password", "")})

    def pack(self, folder, moves, members, output):
        archive = output
        if archive is None:
            began = time.strftime("%Y-%m-%d-%H-%M-%S", time.gmtime())
            handle, archive = tempfile.mkstemp(prefix=f"zulip-backup-{began}-", suffix=".tar.gz")
            os.close(handle)
        # Links are followed: what they lead to is what has to be kept.
        packed = subprocess.run(["tar", f"--directory={folder}", "-cPhzf", archive, *moves, "--", *members])
        if packed.returncode != 0:
            if output is None:
                os.unlink(archive)
            raise CommandError("the archive is not whole")
        print(f"Backup tarball written to {archive}")
