from django.urls import path

from contacts.views.contacts import ContactViewSet
from contacts.views.imports import ContactImportViewSet, ImportFileViewSet
from contacts.views.lists import ContactListViewSet
from vocelio.api.routers import Router

router = Router()
router.register("contacts", ContactViewSet, basename="contacts")
router.register("contact-lists", ContactListViewSet, basename="contact-lists")

urlpatterns = [
    *router.urls,
    path("uploads", ContactImportViewSet.as_view({"get": "list"}), name="uploads"),
    path("uploads/template", ImportFileViewSet.as_view({"get": "template"}), name="upload-template"),
    path("uploads/contacts", ContactImportViewSet.as_view({"post": "create"}), name="upload-contacts"),
    path("uploads/contacts/<uuid:pk>", ContactImportViewSet.as_view({"get": "retrieve"}), name="upload"),
    path("uploads/contacts/<uuid:pk>/cancel", ContactImportViewSet.as_view({"post": "cancel"}), name="upload-cancel"),
    path("uploads/contacts/<uuid:pk>/rejected", ImportFileViewSet.as_view({"get": "rejected"}), name="upload-rejected"),
]
