# One image for the server and the simulator, which differ in the command only: a measurement never compares two builds.
ARG NODE_IMAGE=node:24-trixie-slim

# The production dependencies alone: this layer changes only when the lock file does. Install scripts are off because
# the one that matters, of the package `node`, would fetch a runtime that the base image already brings.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-bin-links --no-audit --no-fund

FROM ${NODE_IMAGE}
# In a container of 512 MiB, V8 gives young objects 1 MiB, and collects some twenty times a second under load; with
# over 2 GiB it gives them 16 MiB, and so does this. Why, in figures: docs/decisions/021.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=16 \
    CHAT_HOST=0.0.0.0 \
    CHAT_PORT=8080 \
    CHAT_INTERNAL_HOST=0.0.0.0 \
    CHAT_INTERNAL_PORT=8081 \
    LOADTEST_METRICS_HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY host ./host
# The server gives these files to browsers.
COPY client/core ./client/core
COPY client/web ./client/web
COPY server ./server
COPY loadtest ./loadtest
# A volume that is mounted there for images belongs to the user of the server.
RUN install -d -o node -g node /media
USER node
EXPOSE 8080 8081

# Readiness, not liveness: a container that depends on this one must wait until it accepts sessions. A check starts
# Node, which takes about 50 ms of CPU: too much for a small quota, hence the long interval. The lab switches it off.
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s --retries=3 \
  CMD ["node", "-e", "require('node:http').get({host:'127.0.0.1',port:process.env.CHAT_INTERNAL_PORT,path:'/readyz'},(r)=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"]

# node is process 1, so that SIGTERM reaches it directly: the server drains on it, the simulator writes its result.
ENTRYPOINT ["node"]
# The simulator: docker run … loadtest/main.ts --url ws://…
CMD ["server/main.ts"]
