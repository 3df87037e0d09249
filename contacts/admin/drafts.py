"""The wizard between upload and import: which column is which, what the dry run found, start."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts.incoming import Policy
from contacts.incoming.mapping import IGNORED, Mapping, api_name, custom_name
from contacts.incoming.options import CUSTOM
from contacts.models import ContactImport, ImportPreset, ImportPreview
from contacts.services.import_files import mapping_of
from contacts.services.import_kinds import RECORDS

LABELS = {
    "id": "Vocelio ID",
    "phone": "Phone",
    "phoneExtension": "Phone extension",
    "email": "E-mail",
    "fullName": "Full name",
    "zip": "ZIP",
    "externalId": "External ID",
    "linkedinUrl": "LinkedIn",
    "taxId": "Tax ID",
}
KEYS = {
    "": "Phone, else e-mail",
    "email,phone": "E-mail, else phone",
    "external_id": "External ID",
    "external_id,phone,email": "External ID, else phone, else e-mail",
}
POLICIES = {
    Policy.SKIP: "stay as they are",
    Policy.FILL: "get their blank fields filled",
    Policy.OVERWRITE: "are overwritten, except by blank cells",
}


def label(name: str) -> str:
    """Return a field of the API as people read it."""
    if name in LABELS:
        return LABELS[name]
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name)
    return words[:1].upper() + words[1:]


class DraftForm(forms.Form):
    """Which column is which, and what to do with whom."""

    preset = forms.ModelChoiceField(
        queryset=ImportPreset.objects.none(), required=False, empty_label="No preset", widget=UnfoldAdminSelectWidget
    )
    match = forms.ChoiceField(
        label="Rows are known by", choices=KEYS.items(), required=False, widget=UnfoldAdminSelectWidget
    )
    policy = forms.ChoiceField(label="Known contacts", choices=POLICIES.items(), widget=UnfoldAdminSelectWidget)
    region = forms.CharField(
        label="Country of numbers without a +", required=False, max_length=2, widget=UnfoldAdminTextInputWidget
    )
    tags = forms.CharField(
        label="Tags for everybody",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Separated by commas"}),
    )
    list_name = forms.CharField(
        label="Add to the list", required=False, max_length=255, widget=UnfoldAdminTextInputWidget
    )
    validate_phones = forms.BooleanField(label="Check phone numbers", required=False, widget=UnfoldBooleanSwitchWidget)
    save_as = forms.CharField(
        label="Keep these choices as a preset named", required=False, max_length=100, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, job: ContactImport, data: Any = None) -> None:
        settings = job.settings
        keys = ",".join(key for key in settings.get("matchKeys", []) if key != "id")
        super().__init__(
            data,
            initial={
                "match": "" if keys == "phone,email" else keys,
                "policy": settings.get("policy", Policy.SKIP),
                "region": settings.get("region", ""),
                "tags": ", ".join(settings.get("tags", [])),
                "list_name": job.target_list.name if job.target_list else "",
                "validate_phones": settings.get("validatePhones", True),
            },
        )
        self.job = job
        self.known = RECORDS[job.record_type].fields
        presets = ImportPreset.objects.filter(record_type=job.record_type)
        self.fields["preset"].queryset = presets.order_by("name")  # type: ignore[attr-defined]
        if keys not in KEYS and keys != "phone,email":
            self.fields["match"].choices = [*KEYS.items(), (keys, keys)]  # type: ignore[attr-defined]
        if not RECORDS[job.record_type].has_lists:
            del self.fields["match"], self.fields["list_name"]
        self.columns = list(self._columns())

    def _columns(self) -> Any:
        layout = self.job.layout or {"columns": [], "rows": []}
        chosen: Mapping = mapping_of(layout, self.job.settings.get("mapping", {}))
        for index, (header, target) in enumerate(chosen.columns):
            name = f"column-{index}"
            own = f"{CUSTOM}{custom_name(header, target) or header}"
            choices = [(IGNORED, "Leave out"), (own, f"Custom field: {own.removeprefix(CUSTOM)}")]
            choices += sorted(
                ((field, label(name)) for name, field in self.known.by_api_name.items()), key=lambda each: each[1]
            )
            self.fields[name] = forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, required=False)
            self.initial[name] = own if custom_name(header, target) is not None else target
            cells = [cells[index] for _, cells in layout["rows"] if index < len(cells) and cells[index].strip()]
            confidence = layout["columns"][index][2]
            yield {"header": header, "field": self[name], "samples": cells[:3], "confidence": round(100 * confidence)}

    def options(self) -> dict[str, Any]:
        """Return the choices as the settings of a job."""
        data = self.cleaned_data
        layout = self.job.layout or {"columns": []}
        mapping = {
            header: data.get(f"column-{index}") or IGNORED for index, (header, *_) in enumerate(layout["columns"])
        }
        keys = [key for key in data.get("match", "").split(",") if key]
        chosen = {
            "mapping": mapping,
            "matchKeys": ["id", *keys] if keys else ["id", "phone", "email"],
            "policy": data["policy"],
            "region": data["region"].upper(),
            "tags": [tag.strip() for tag in data["tags"].split(",") if tag.strip()],
            "validatePhones": data["validate_phones"],
        }
        if "match" not in self.fields:
            chosen["matchKeys"] = list(self.known.keys)
        return chosen | (data["preset"].options if data["preset"] else {})


def shown_preview(preview: ImportPreview | None) -> dict[str, Any] | None:
    """Return a dry run's samples as the page shows them."""
    if preview is None:
        return None
    samples = preview.samples
    return {
        "preview": preview,
        "fields": [(shown_name(name), number) for name, number in list(preview.field_changes.items())[:12]],
        "updated": [
            (sample["row"], [(shown_name(name), each) for name, each in list(sample["changes"].items())[:5]])
            for sample in samples.get("updated", [])[:5]
        ],
        "rejected": samples.get("rejected", [])[:8],
        "created": [
            (sample["row"], ", ".join(list(sample["data"].values())[:6])) for sample in samples.get("created", [])[:5]
        ],
    }


def shown_name(name: str) -> str:
    return name.removeprefix(CUSTOM) if name.startswith(CUSTOM) else label(api_name(name))
