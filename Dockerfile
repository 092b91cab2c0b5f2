# One image for the server and the simulator: the same runtime and the same files, told apart by the command only, so
# that a measurement never compares two builds.
ARG NODE_IMAGE=node:24-trixie-slim

# The production dependencies alone: this layer changes only when the lock file does. Install scripts are off because
# the one that matters, of the package `node`, would fetch a runtime that the base image already brings.
FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-bin-links --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production \
    CHAT_HOST=0.0.0.0 \
    CHAT_PORT=8080 \
    CHAT_INTERNAL_HOST=0.0.0.0 \
    CHAT_INTERNAL_PORT=8081 \
    LOADTEST_METRICS_HOST=0.0.0.0
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json ./
COPY host ./host
COPY server ./server
COPY loadtest ./loadtest
USER node
EXPOSE 8080 8081

# Readiness, not liveness: what waits for this container waits until it takes sessions. A check costs a node start
# (about 50 ms of CPU), which a small quota feels, hence the long interval; the lab switches it off and asks itself.
HEALTHCHECK --interval=15s --timeout=5s --start-period=5s --retries=3 \
  CMD ["node", "-e", "require('node:http').get({host:'127.0.0.1',port:process.env.CHAT_INTERNAL_PORT,path:'/readyz'},(r)=>process.exit(r.statusCode===200?0:1)).on('error',()=>process.exit(1))"]

# node is PID 1, without a shell or npm between it and SIGTERM: the server drains on it, the simulator keeps its result.
ENTRYPOINT ["node"]
# The simulator: docker run … loadtest/main.ts --url ws://…
CMD ["server/main.ts"]
