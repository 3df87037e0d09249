from django.urls import path

from vocelio.storage.views import PresignViewSet, SentFileViewSet

urlpatterns = [
    path("uploads/presign", PresignViewSet.as_view({"post": "create"}), name="upload-presign"),
    path("uploads/files", SentFileViewSet.as_view({"post": "create"}), name="upload-files"),
]
