"""The files of deploy/kubernetes are what Kubernetes' published schemas and this project's settings allow."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.conf import settings

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
OBJECTS: list[dict[str, Any]] = [
    each for file in sorted(FOLDER.glob("*.yaml")) for each in yaml.safe_load_all(file.read_text())
]
PODS = [each["spec"]["template"]["spec"] for each in OBJECTS if each["kind"] in {"Deployment", "Job"}]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"] for each in OBJECTS if each["kind"] == kind}


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_every_object_fits_the_published_schema(each: dict[str, Any]) -> None:
    kubernetes_validate.validate(each, "1.33", strict=True)


def test_no_secret_stands_in_a_file() -> None:
    assert "Secret" not in {each["kind"] for each in OBJECTS}
    for pod in PODS:
        for container in pod["containers"]:
            assert {"secretRef": {"name": "vocelio"}} in container["envFrom"]


def test_every_container_is_confined() -> None:
    for pod in PODS:
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["resources"]["limits"]["memory"]


def test_every_queue_has_one_group_of_workers() -> None:
    queues = [
        queue
        for name, spec in named("Deployment").items()
        if "worker" in name
        for queue in spec["template"]["spec"]["containers"][0]["command"][6].split(",")
    ]
    assert sorted(queues) == sorted(settings.CELERY_TASK_QUEUES_BY_APP)


def test_references_between_objects_lead_somewhere() -> None:
    deployments = named("Deployment")
    for spec in named("HorizontalPodAutoscaler").values():
        assert "replicas" not in deployments[spec["scaleTargetRef"]["name"]]
    labels = [spec["template"]["metadata"]["labels"] for spec in deployments.values()]
    for kind in ("Service", "PodDisruptionBudget"):
        for spec in named(kind).values():
            selector = spec["selector"].get("matchLabels", spec["selector"])
            assert selector in labels
    backends = [
        path["backend"]["service"]["name"]
        for spec in named("Ingress").values()
        for rule in spec["rules"]
        for path in rule["http"]["paths"]
    ]
    assert set(backends) <= set(named("Service"))
