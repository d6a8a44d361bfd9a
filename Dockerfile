# One image for gateway, processors, sink and the preparing job. The lock's checksums are demanded.
FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY deploy/requirements.lock /src/deploy/requirements.lock
RUN /opt/venv/bin/pip install --require-hashes -r /src/deploy/requirements.lock
COPY . /src
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --require-hashes -r /src/deploy/build.lock \
    && /opt/tools/bin/pip wheel --no-deps --no-build-isolation -w /wheels /src \
    && /opt/venv/bin/pip install --no-deps --no-index /wheels/*.whl

FROM python:3.11.14-slim-bookworm
LABEL org.opencontainers.image.title="sluicegate" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Audit gateway between AI agents and the systems they act on"
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN groupadd --gid 10001 sluicegate \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/sluicegate --shell /usr/sbin/nologin sluicegate \
    && install -d -o sluicegate -g sluicegate -m 0700 /var/lib/sluicegate
COPY --from=build /opt/venv /opt/venv
COPY deploy/prepare.py deploy/probe.py /app/deploy/
COPY LICENSE /app/LICENSE
USER 10001:10001
WORKDIR /var/lib/sluicegate
VOLUME ["/var/lib/sluicegate"]
STOPSIGNAL SIGTERM
CMD ["sluicegate", "--help"]
