import json
import os

from django.conf import settings
from django.contrib.postgres.search import SearchQuery
from django.db import connection
from django.http import HttpResponse, HttpResponseNotAllowed, JsonResponse

from zerver.cache import client, realm_name
from zerver.models import Message
from zerver.process import about
from zerver.queue import publish


def bundle():
    """The address of the script that the build made; a tree that was not built has none, and that is an error."""
    with open(os.path.join(settings.DEPLOY_ROOT, "webpack-stats-production.json"), encoding="utf-8") as file:
        return "/static/webpack-bundles/" + json.load(file)["app"]


def home(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({**about("django"), "realm": realm_name(), "bundle": bundle()})


def health(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    publish("deferred_work", {})
    client().set("health", "well", time=60)
    return JsonResponse({"result": "success", "msg": ""})


def server_settings(request):
    return JsonResponse({"result": "success", "zulip_version": settings.ZULIP_VERSION, "realm_name": realm_name()})


def messages(request):
    if request.method == "POST":
        content = request.POST["content"]
        message = Message.objects.create(
            subject=request.POST.get("topic", "greetings"), content=content, rendered_content=f"<p>{content}</p>"
        )
        publish(request.POST.get("queue", "embed_links"), {"message_id": message.id})
        return JsonResponse({"result": "success", "id": message.id})
    found = Message.objects.all()
    if "search" in request.GET:
        query = SearchQuery(request.GET["search"], config="zulip.english_us_search")
        found = found.filter(search_tsvector=query)
    newest = found.order_by("-id").values("id", "subject", "content", "is_processed")[:10]
    return JsonResponse({"result": "success", "count": found.count(), "messages": list(newest)})


def login(request):
    request.session["user"] = request.POST["username"]
    return JsonResponse({"result": "success"})


def me(request):
    return JsonResponse({"result": "success", "user": request.session.get("user")})


def upload(request):
    """Stores the body of the request under the name that the query gives."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    name = os.path.basename(request.GET["name"])
    folder = os.path.join(settings.LOCAL_UPLOADS_DIR, "files")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(request.body)
    return JsonResponse({"result": "success", "url": f"/user_uploads/{name}"})


def uploaded(request, name):
    """Sends nginx for the file."""
    answer = HttpResponse()
    answer["X-Accel-Redirect"] = f"/internal/local/uploads/{name}"
    del answer["Content-Type"]
    return answer
