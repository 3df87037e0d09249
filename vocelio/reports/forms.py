"""The form a report is built with in the back office, and the definition it makes."""

import json
from typing import Any

from django import forms
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from vocelio.access.principal import Principal
from vocelio.languages.translate import translated
from vocelio.reports.periods import Granularity, Preset
from vocelio.reports.registry import metrics_for
from vocelio.reports.serializers import CHARTS

DAYS = "days"


def select(**attributes: str) -> UnfoldAdminSelectWidget:
    return UnfoldAdminSelectWidget(attrs=attributes)


class DefinitionForm(forms.Form):
    """One or two metrics, divided by up to two dimensions, narrowed by one, of a period."""

    metric = forms.ChoiceField(widget=select())
    second_metric = forms.ChoiceField(label="and", required=False, widget=select())
    dimension = forms.ChoiceField(label="By", required=False, widget=select())
    second_dimension = forms.ChoiceField(label="and by", required=False, widget=select())
    granularity = forms.ChoiceField(
        label="In steps of", required=False, choices=[("", "No steps"), *Granularity.choices], widget=select()
    )
    period = forms.ChoiceField(
        choices=[*Preset.choices, (DAYS, "From and to:")], initial=Preset.LAST_90_DAYS, widget=select()
    )
    first = forms.DateField(label="From", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    filter = forms.ChoiceField(label="Only where", required=False, widget=select())
    values = forms.MultipleChoiceField(
        label="is one of", required=False, widget=forms.SelectMultiple(attrs={"size": 6})
    )
    chart = forms.ChoiceField(choices=CHARTS, initial="bar", widget=select())
    compare = forms.BooleanField(
        label="Compare with the period before", required=False, widget=UnfoldBooleanSwitchWidget()
    )

    def __init__(self, data: Any, *, principal: Principal, values: list[tuple[str, str]] | None = None) -> None:
        super().__init__(data)
        metrics = metrics_for(principal)
        groups: dict[str, list[tuple[str, str]]] = {}
        dimensions: dict[str, str] = {}
        for metric in metrics:
            groups.setdefault(translated(metric.group.replace("_", " ").capitalize()), []).append(
                (metric.name, metric.title)
            )
            dimensions |= {each.key: each.title for each in metric.dimensions}
        self.fields["metric"].choices = list(groups.items())  # type: ignore[attr-defined]
        self.fields["second_metric"].choices = [("", translated("nothing else")), *groups.items()]  # type: ignore[attr-defined]
        by = sorted(dimensions.items(), key=lambda item: item[1])
        for name, nothing in (("dimension", "nothing"), ("second_dimension", "nothing"), ("filter", "no matter what")):
            self.fields[name].choices = [("", translated(nothing)), *by]  # type: ignore[attr-defined]
        self.fields["values"].choices = values or []  # type: ignore[attr-defined]
        # Which dimension goes with which metric, for the script that offers what fits.
        self.known = json.dumps({metric.name: [each.key for each in metric.dimensions] for metric in metrics})
        self.states = json.dumps([metric.name for metric in metrics if not metric.date])


def definition_of(form: DefinitionForm) -> dict[str, Any]:
    """Return the definition that a valid form makes."""
    data = form.cleaned_data
    period: dict[str, Any] = {"preset": data["period"]}
    if data["period"] == DAYS:
        period = {"from": str(data["first"] or ""), "to": str(data["last"] or "")}
    definition: dict[str, Any] = {"metrics": [name for name in (data["metric"], data["second_metric"]) if name]}
    definition["range"] = period
    if dimensions := [key for key in (data["dimension"], data["second_dimension"]) if key]:
        definition["dimensions"] = dimensions
    if data["granularity"]:
        definition["granularity"] = data["granularity"]
    if data["compare"]:
        definition["compare"] = True
    if data["filter"] and data["values"]:
        definition["filters"] = {data["filter"]: [value or None for value in data["values"]]}
    return definition


def form_data(definition: dict[str, Any], chart: str) -> QueryDict:
    """Return what the form is filled with to make the definition again."""
    data = QueryDict(mutable=True)
    metrics, dimensions = [*definition.get("metrics", []), "", ""], [*definition.get("dimensions", []), "", ""]
    period = definition.get("range") or {"preset": Preset.LAST_30_DAYS}
    filters = definition.get("filters") or {}
    data.update(
        {
            "metric": metrics[0],
            "second_metric": metrics[1],
            "dimension": dimensions[0],
            "second_dimension": dimensions[1],
            "granularity": definition.get("granularity", ""),
            "period": period.get("preset", DAYS),
            "first": period.get("from", ""),
            "last": period.get("to", ""),
            "chart": chart or ("line" if definition.get("granularity") else "bar"),
            "filter": next(iter(filters), ""),
        }
    )
    if definition.get("compare"):
        data["compare"] = "on"
    data.setlist("values", [value or "" for value in next(iter(filters.values()), [])])
    return data
