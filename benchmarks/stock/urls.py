import os
import uuid
from typing import Any

from rest_framework import serializers, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.routers import SimpleRouter

from contacts.models import Contact, ContactList, ContactListMembership
from vocelio.organizations.scope import organization_scope


class ListSerializer(serializers.ModelSerializer[Any]):
    class Meta:
        model = ContactList
        fields = ["id", "name"]


class MembershipSerializer(serializers.ModelSerializer[Any]):
    list = ListSerializer()

    class Meta:
        model = ContactListMembership
        fields = ["list", "added_at"]


class ContactSerializer(serializers.ModelSerializer[Any]):
    memberships = MembershipSerializer(many=True, read_only=True)

    class Meta:
        model = Contact
        exclude = ["search", "organization", "private_notes", "deleted_by"]


class ContactViewSet(viewsets.ModelViewSet[Any]):
    serializer_class = ContactSerializer
    renderer_classes = [JSONRenderer]

    def get_queryset(self) -> Any:
        return Contact.objects.filter(deleted_at=None).order_by("-created_at")

    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        with organization_scope(uuid.UUID(os.environ["BENCHMARK_ORGANIZATION"])):
            return super().dispatch(*args, **kwargs).render()


router = SimpleRouter(trailing_slash=False)
router.register("contacts", ContactViewSet, basename="contacts")
urlpatterns = router.urls
