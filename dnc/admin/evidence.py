"""Certificates and the registries' access log, to be read only."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dnc.admin.lists import SECTION
from dnc.models import Certificate, RegistryAccess
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.languages.numbers import number


@admin.register(Certificate)
class CertificateAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage"}
    section = SECTION
    icon = "workspace_premium"
    menu_title = "Certificates"

    list_display = ("number", "kind", "numbers", "outcomes", "pdf", "created_at")
    list_filter = ("kind",)
    fields = ("number", "kind", "created_at", "content", "shown_hash", "pdf")
    readonly_fields = fields

    @admin.display(description="Numbers")
    def numbers(self, certificate: Certificate) -> str:
        return number(certificate.content["numbers"])

    @admin.display(description="Outcome")
    def outcomes(self, certificate: Certificate) -> str:
        return ", ".join(f"{code} {number(count)}" for code, count in certificate.content["outcomes"].items())

    @admin.display(description="Hash")
    def shown_hash(self, certificate: Certificate) -> str:
        return bytes(certificate.hash).hex()

    @admin.display(description="PDF")
    def pdf(self, certificate: Certificate) -> SafeString:
        return format_html('<a href="{}">PDF</a>', reverse("v1:dnc-certificate-pdf", args=[certificate.pk]))


@admin.register(RegistryAccess)
class RegistryAccessAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage"}
    section = SECTION
    icon = "history"
    menu_title = "Registry accesses"

    list_display = ("created_at", "purpose", "numbers", "shown_registries", "shown_sans", "user_id")

    @admin.display(description="Registries")
    def shown_registries(self, access: RegistryAccess) -> str:
        return ", ".join(access.registries)

    @admin.display(description="SAN")
    def shown_sans(self, access: RegistryAccess) -> str:
        return ", ".join(access.sans)
