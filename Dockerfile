# syntax=docker/dockerfile:1
# KeyPort for Discord: the bot and its API in one small image. Build: docker build -t keyport-discord .

FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/keyport
ENV PATH=/opt/keyport/bin:$PATH
# Everything by its hash, and in a layer of its own: it changes more seldom than the program.
COPY requirements.lock ./
RUN pip install --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY bot ./bot
COPY cogs ./cogs
COPY i18n ./i18n
COPY licensing ./licensing
COPY sandbox ./sandbox
COPY storage ./storage
# What installs packages is not needed where the program runs.
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes setuptools wheel pip

FROM python:3.13-slim
RUN groupadd --gid 10001 keyport \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin keyport \
    && install --directory --owner=keyport --group=keyport --mode=0700 /data
COPY --from=build /opt/keyport /opt/keyport
ENV PATH=/opt/keyport/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    KEYPORT_DATABASE__URL=sqlite:////data/keyport.db \
    KEYPORT_API__HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Healthy means that validations can be served; whether Discord is there does not matter to it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-m", "bot.probe"]
ENTRYPOINT ["keyport"]
CMD ["run"]
