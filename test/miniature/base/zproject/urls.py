from django.urls import path

from zerver import views

urlpatterns = [
    path("", views.home),
    path("health", views.health),
    path("api/v1/server_settings", views.server_settings),
    path("json/messages", views.messages),
    path("json/login", views.login),
    path("json/me", views.me),
    path("json/user_uploads", views.upload),
    path("user_uploads/<path:name>", views.uploaded),
]
