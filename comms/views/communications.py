"""/communications, /communications/batches"""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from comms.filters.communications import CommunicationFilter
from comms.models import Communication, MessageBatch
from comms.serializers.communications import (
    AttachmentSerializer,
    BatchPreviewSerializer,
    BatchSerializer,
    CommsFiguresSerializer,
    CommunicationChangeSerializer,
    CommunicationSerializer,
    NewCommunicationSerializer,
    PreviewRequestSerializer,
    PreviewSerializer,
    RetrySerializer,
    UploadSerializer,
)
from comms.services import analytics, batches, communications
from comms.services.templates import version_of
from contacts.filters.contacts import contacts_matching
from contacts.models import Contact, ContactList
from vocelio.api.parsers import UploadParser
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.errors import Forbidden, Invalid


class CommunicationViewSet(ListMixin, RetrieveMixin, UpdateMixin, TenantViewSet):
    """Messages: what goes out, what went out, what came in."""

    model = Communication
    serializer_class = CommunicationSerializer
    filterset_class = CommunicationFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "scheduledAt": "scheduled_at"}
    permissions = {
        "list": "messages:read",
        "retrieve": "messages:read",
        "figures": "messages:read",
        "create": "messages:write",
        "update": "messages:write",
        "partial_update": "messages:write",
        "retry": "messages:write",
        "done": "messages:write",
        "send": "messages:write",
        "preview": "messages:write",
        "preview_batch": "messages:bulk",
    }

    def get_queryset(self) -> QuerySet[Communication]:
        rows: QuerySet[Communication] = with_names(super().get_queryset())
        return rows

    def represent(self, instance: Communication) -> Any:
        return CommunicationSerializer(with_names(Communication.objects.filter(pk=instance.pk)).get()).data

    @extend_schema(request=NewCommunicationSerializer, responses={201: CommunicationSerializer, 202: BatchSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Write to a contact (201), or with `listId` or `filter` to many (202, a batch; managers only).

        Whether somebody may be written to is decided when the message is sent, not now.
        """
        data = self.validated(NewCommunicationSerializer(data=request.data, context=self.get_serializer_context()))
        if "contact_id" not in data:
            return self.respond(BatchSerializer(self._start_batch(data)).data, status=202)
        contact = self._contact(data.pop("contact_id"))
        data.pop("batch", None)
        channel = data.pop("channel", None) or data["template"].channel
        parent = data.get("reply_to")
        if parent is not None and not self.get_queryset().filter(pk=parent.pk, contact=contact).exists():
            raise Invalid.field("replyToId", "There is no such message of this contact.", constraint="does_not_exist")
        message = communications.create_communication(
            principal=self.principal, contact=contact, channel=channel, **data
        )
        return self.respond(self.represent(message), status=201)

    @extend_schema(request=CommunicationChangeSerializer)
    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change what is not sent yet, or call it off by `status: cancelled`; 409 ALREADY_SENT otherwise."""
        message = self.get_object()
        data = self.validated(CommunicationChangeSerializer(data=request.data))
        changed = communications.update_communication(message=message, principal=self.principal, **data)
        return self.respond(self.represent(changed))

    @extend_schema(request=CommunicationChangeSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Do the same."""
        return self.update(request, *args, **kwargs)

    @extend_schema(request=RetrySerializer, responses=CommunicationSerializer)
    @action(detail=True, methods=["post"], serializer_class=RetrySerializer)
    def retry(self, request: Request, pk: uuid.UUID) -> Response:
        """Send again what failed, bounced or was called off. An unknown one may have arrived: 409 MAY_HAVE_ARRIVED
        unless `confirm` is true."""
        message = self.get_object()
        confirm = self.validated(RetrySerializer(data=request.data or {})).get("confirm", False)
        return self.respond(self.represent(communications.retry_communication(message=message, confirm=confirm)))

    @extend_schema(request=None, responses=CommunicationSerializer)
    @action(detail=True, methods=["post"])
    def done(self, request: Request, pk: uuid.UUID) -> Response:
        """Note that a person has sent it, as with LinkedIn."""
        return self.respond(self.represent(communications.complete_communication(message=self.get_object())))

    @extend_schema(request=None, responses=CommunicationSerializer)
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: uuid.UUID) -> Response:
        """Send what waits for a person through the provider's API, as they decide now; 409 without an account for it."""
        return self.respond(self.represent(communications.release_communication(message=self.get_object())))

    @extend_schema(request=PreviewRequestSerializer, responses=PreviewSerializer)
    @action(detail=False, methods=["post"], serializer_class=PreviewRequestSerializer)
    def preview(self, request: Request) -> Response:
        """Show a template, or a wording, as a contact would get it, and what stands in its way. Stores nothing."""
        serializer = PreviewRequestSerializer(data=request.data, context=self.get_serializer_context())
        data = self.validated(serializer)
        template = data.get("template")
        if template is None and "channel" not in data:
            raise Invalid.field("channel", "Give a channel or a template.", constraint="required")
        version = None
        if template is not None:
            number = data.get("version", template.version)
            if not template.versions.filter(number=number).exists():
                raise Invalid.field("version", "There is no such version.", value=number, constraint="choice")
            version = version_of(template, number)
        shown = communications.preview(
            contact=self._contact(data["contact_id"]),
            channel=template.channel if template is not None else data["channel"],
            user_id=self.principal.user_id,
            version=version,
            wording={name: data[name] for name in ("subject", "body_text", "body_html") if name in data},
            variables=data.get("variables"),
        )
        return self.respond(PreviewSerializer(shown).data)

    @extend_schema(request=NewCommunicationSerializer, responses=BatchPreviewSerializer)
    @action(detail=False, methods=["post"], url_path="preview-batch", serializer_class=NewCommunicationSerializer)
    def preview_batch(self, request: Request) -> Response:
        """Count whom a batch would reach and what it would cost; those who said no are left out when it is sent."""
        data = self.validated(NewCommunicationSerializer(data=request.data, context=self.get_serializer_context()))
        if "contact_id" in data:
            raise Invalid.field("contactId", "Give listId or filter.", constraint="batch")
        found = contacts_matching(self._filter(data), self.principal)
        reach = batches.preview_batch(found=found, template=data["template"], account=data.get("account"))
        return self.respond(BatchPreviewSerializer(reach).data)

    @extend_schema(
        responses=CommsFiguresSerializer,
        filters=False,
        parameters=[
            OpenApiParameter("days", {"type": "integer", "minimum": 1, "maximum": 366}, description="30 unless given.")
        ],
    )
    @action(detail=False, url_path="analytics", pagination_class=None, filter_backends=[])
    def figures(self, request: Request) -> Response:
        """Count what became of the last days' messages, by channel."""
        for parameter in request.query_params:
            if parameter != "days":
                raise Invalid.field(parameter[:60], "There is no such parameter here.", constraint="unknown")
        text = request.query_params.get("days", "30")
        if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 366):
            raise Invalid.field("days", "1 to 366.", value=text[:20], constraint="range")
        now = timezone.now()
        found = analytics.channel_figures(since=now - timedelta(days=int(text)), until=now)
        return self.respond(CommsFiguresSerializer({"channels": found}).data)

    def _contact(self, contact_id: uuid.UUID) -> Contact:
        rows = Contact.objects.alive().visible_to(self.principal).defer("search")
        contact: Contact | None = rows.filter(pk=contact_id).first()
        if contact is None:
            raise Invalid.field("contactId", "There is no such contact.", constraint="does_not_exist")
        return contact

    def _filter(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if "list_id" not in data:
            return dict(data["filter"])
        if not ContactList.objects.filter(pk=data["list_id"]).exists():
            raise Invalid.field("listId", "There is no such list.", constraint="does_not_exist")
        return {"listId": str(data["list_id"])}

    def _start_batch(self, data: dict[str, Any]) -> MessageBatch:
        if not self.principal.may("messages:bulk"):
            raise Forbidden("Your role does not allow messages to many.")
        chosen = self._filter(data)
        return batches.start_batch(
            found=contacts_matching(chosen, self.principal),
            filter=chosen,
            template=data["template"],
            account=data.get("account"),
            variables=data.get("variables"),
            scheduled_at=data.get("scheduled_at"),
            in_window=data.get("in_window", True),
            **data.get("batch", {}),
        )


class AttachmentViewSet(TenantViewSet):
    """Files of messages."""

    model = Communication
    serializer_class = AttachmentSerializer
    parser_classes = [UploadParser]
    permissions = {"create": "messages:write"}

    @extend_schema(request={"multipart/form-data": UploadSerializer}, responses={201: AttachmentSerializer})
    def create(self, request: Request) -> Response:
        """Store a file of at most 10 MB; messages name it by what this answers."""
        file = self.validated(UploadSerializer(data=request.data))["file"]
        stored = communications.store_attachment(
            name=file.name, content_type=file.content_type or "application/octet-stream", content=file.read()
        )
        return self.respond(AttachmentSerializer(stored).data, status=201)


class BatchViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Messages to many; POST /communications begins one."""

    model = MessageBatch
    serializer_class = BatchSerializer
    permissions = dict.fromkeys(["list", "retrieve", "pause", "resume", "cancel"], "messages:bulk")

    def get_queryset(self) -> QuerySet[MessageBatch]:
        return super().get_queryset().select_related("template", "account", "created_by")

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: uuid.UUID) -> Response:
        """Hold what is not sent."""
        return self.respond(self.represent(batches.pause_batch(self.get_object())))

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: uuid.UUID) -> Response:
        """Go on."""
        return self.respond(self.represent(batches.resume_batch(self.get_object())))

    @extend_schema(request=None, responses=BatchSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: uuid.UUID) -> Response:
        """Call off whatever is not sent."""
        return self.respond(self.represent(batches.stop_batch(self.get_object())))


def with_names(rows: Any) -> Any:
    return rows.select_related("contact", "client", "account", "version", "created_by").defer(
        "contact__search", "client__search", "version__body_text", "version__body_html"
    )
