# The program and its locked dependencies, for `docker compose up` or as it is: see docs/docker.md.
FROM python:3.13-slim AS build
COPY pyproject.toml uv.lock README.md LICENSE /src/
COPY pi_opensync /src/pi_opensync
COPY systemd /src/systemd
COPY launchd /src/launchd
WORKDIR /src
RUN pip install --no-cache-dir uv
RUN UV_PROJECT_ENVIRONMENT=/opt/pi-opensync uv sync --locked --no-dev --no-editable --no-cache

FROM python:3.13-slim
ARG UID=1000
COPY --from=build /opt/pi-opensync /opt/pi-opensync
RUN install -d -m 0755 /sessions && install -d -m 0700 -o $UID -g $UID /state
ENV PATH=/opt/pi-opensync/bin:$PATH
ENV HOME=/state PI_OPENSYNC_STATE_DIR=/state PI_OPENSYNC_SESSIONS_DIR=/sessions
USER $UID:$UID
VOLUME /state
EXPOSE 4780
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD pi-opensync status --json | python -c "import json, sys; s = json.load(sys.stdin); sys.exit(not (s['running'] or s['dashboard']))"
ENTRYPOINT ["pi-opensync"]
CMD ["watch"]
