#!/bin/sh
# Makes a stand-in for a release of Zulip, the version of which is the argument: programs that stay, and a web
# application that a real uwsgi (packages uwsgi-core and uwsgi-plugin-python3) runs.
set -e
tree=/home/zulip/deployments/2026-01-01-00-00-00
mkdir -p $tree/zulip-current-venv/bin $tree/zproject /srv/zulip-node/bin
echo "ZULIP_VERSION = \"$1\"" >$tree/version.py
touch $tree/zproject/__init__.py
cat >$tree/zproject/wsgi.py <<'PYTHON'
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"an answer\n"]
PYTHON
cat >$tree/zulip-current-venv/bin/uwsgi <<'SHELL'
#!/bin/sh
exec /usr/bin/uwsgi-core --plugin python3 "$@"
SHELL
printf '#!/bin/sh\nexec sleep 100000\n' >$tree/manage.py
printf '#!/bin/sh\necho a secret of ${#SHARED_SECRET} letters\nexec sleep 100000\n' >/srv/zulip-node/bin/node
chmod +x $tree/manage.py $tree/zulip-current-venv/bin/uwsgi /srv/zulip-node/bin/node
chown -R zulip:zulip /home/zulip
ln -sfn $tree /home/zulip/deployments/current
