# A server of others beside the scripts of this project's image. The lab gives all arguments (peer-image.ts).
ARG BASE
FROM ${BASE}
USER root
WORKDIR /opt/peer
ARG PACKAGES
RUN [ -z "$PACKAGES" ] || npm install --ignore-scripts --no-audit --no-fund --fetch-retries=0 $PACKAGES
# A pattern, or empty for Node. The name is the same for all, because an entry point takes no argument of a build.
ARG RUNTIME
RUN ln -s "$(ls ${RUNTIME:-/usr/local/bin/node})" /usr/local/bin/peer && peer --version
WORKDIR /app
COPY . ./experiments
USER node
ENTRYPOINT ["peer"]
