from django.urls import URLPattern, URLResolver, path

from vocelio.health.views import HealthViewSet, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", HealthViewSet.as_view({"get": "retrieve"}), name="health"),
    path("metrics", metrics, name="metrics"),
]
