# Two images from one file: the service (`--target service`, the default) and an Asterisk that it drives (`--target asterisk`).
# `make image` builds both. Neither runs as root, and no secret is in either: those come in at run time (deploy/compose.yaml).

FROM debian:forky-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
RUN python3 -m venv /opt/nobat
COPY constraints.txt pyproject.toml ./
# The libraries first: they change seldom, and their layer stays.
RUN python3 -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*p['dependencies'], *p['optional-dependencies']['otel'], *('hatchling',), sep='\\n')" > wanted.txt \
 && /opt/nobat/bin/pip install --no-input --no-cache-dir --disable-pip-version-check -c constraints.txt -r wanted.txt
COPY README.md ./
COPY src src
RUN /opt/nobat/bin/pip install --no-input --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && /opt/nobat/bin/pip uninstall --yes --quiet hatchling pip \
 && find /opt/nobat -name __pycache__ -prune -exec rm -rf {} + \
 && /opt/nobat/bin/python -m compileall -q -j 0 /opt/nobat/lib

FROM build AS prompts
RUN apt-get update \
 && apt-get install -y --no-install-recommends espeak-ng sox \
 && rm -rf /var/lib/apt/lists/*
RUN /opt/nobat/bin/nobat prompts build --to /sounds

# What is there only while a container runs is mounted over folders of mode 1777: engines take the mode of what they find.
FROM debian:forky-slim AS packaged
RUN apt-get update \
 && apt-get install -y --no-install-recommends asterisk asterisk-modules asterisk-core-sounds-en-gsm asterisk-moh-opsound-wav \
 && rm -rf /var/lib/apt/lists/* /etc/asterisk/* \
 && groupmod --non-unique --gid 10001 asterisk \
 && usermod --non-unique --uid 10001 --groups '' asterisk \
 && install -d -o asterisk -g asterisk -m 0750 /var/spool/asterisk /var/lib/asterisk \
 && install -d -m 1777 /etc/asterisk /var/log/asterisk \
 && chown -R asterisk:asterisk /var/spool/asterisk /var/lib/asterisk /var/log/asterisk

# Debian's program loses recorded voices after a conversation of three: the same with one byte different (docs/decisions/0030).
FROM build AS mended
COPY lab/mend.py ./
COPY --from=packaged /usr/sbin/asterisk packaged
RUN cp packaged asterisk && python3 mend.py packaged asterisk

FROM packaged AS asterisk
COPY --from=mended --chmod=0755 /build/asterisk /usr/local/sbin/asterisk
COPY --from=prompts /sounds /usr/share/nobat/sounds
RUN ln -s /usr/share/nobat/sounds/en/nobat /usr/share/asterisk/sounds/en/nobat \
 && ln -s /usr/share/nobat/sounds/fa /usr/share/asterisk/sounds/fa
COPY asterisk-conf /usr/share/nobat/asterisk-conf
COPY dialplan /usr/share/nobat/asterisk-conf/dialplan
COPY --chmod=0755 deploy/image/asterisk-entrypoint.sh /usr/local/bin/asterisk-entrypoint
USER 10001:10001
VOLUME ["/var/spool/asterisk", "/var/lib/asterisk"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["asterisk", "-rx", "core waitfullybooted"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["asterisk-entrypoint"]

FROM debian:forky-slim AS service
LABEL org.opencontainers.image.title="Nobat" org.opencontainers.image.description="Contact-centre control service for Asterisk"
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates python3 tzdata \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 10001 nobat \
 && useradd --uid 10001 --gid 10001 --home-dir /var/lib/nobat --no-create-home --shell /usr/sbin/nologin nobat \
 && install -d -o nobat -g nobat -m 0750 /var/lib/nobat /etc/nobat
COPY --from=build /opt/nobat /opt/nobat
COPY --chmod=0755 deploy/image/healthcheck.py /usr/local/bin/nobat-healthcheck
ENV PATH=/opt/nobat/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    NOBAT_CONFIG=/etc/nobat/nobat.toml
WORKDIR /var/lib/nobat
USER 10001:10001
VOLUME ["/var/lib/nobat"]
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["nobat-healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["nobat"]
CMD ["serve"]
