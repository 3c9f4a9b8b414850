# The portal as an image: `docker build -t ai-stack-deployer .`
# CONTRIBUTING.md says how to update the images that it is made from.

# The bill of materials (`docker buildx build --sbom=true`) includes the lockfiles, because the binary alone does not
# list its dependencies.
ARG BUILDKIT_SBOM_SCAN_CONTEXT=true

FROM node:24.20.0-bookworm-slim@sha256:ba849c60be29959425b8734d57b8b4b7d56f98edd9504c9af091d5281095a71e AS node

FROM rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1 AS builder
# wasm-opt, sass and other tools that build the site are npm packages
COPY --from=node /usr/local/bin/node /usr/local/bin/
COPY --from=node /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm

WORKDIR /build
# a separate layer: it changes only with the versions of the tools
COPY Cargo.toml package.json package-lock.json .npmrc ./
COPY scripts/wasm-toolchain scripts/
COPY scripts/lib scripts/lib
COPY scripts/wasm-bindgen scripts/wasm-bindgen
RUN bash -euo pipefail -c '. scripts/lib/setup.sh; plan setup_build; setup_build'

COPY . .
# Relocations in a packed form are some 40 times smaller, and all of them are in memory from the start on. The loader
# must know that form: glibc does since 2.36, which is that of both images.
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-Wl,-z,pack-relative-relocs" \
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=-Wl,-z,pack-relative-relocs"
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    bash -euo pipefail -c '. scripts/lib/setup.sh; . scripts/lib/site.sh; plan build_portal release; SERVER_PROFILE=dist build_portal release' \
    && mkdir /out \
    && cp target/dist/ai-stack-deployer Leptos.toml /out/ \
    && cp -r target/site /out/site

FROM debian:bookworm-20260918-slim@sha256:3783cc01769c7b2b1b83a5c5ad96c815348e28ed7da68e2e3687004faa906251
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin portal \
    && install -d -m 0700 -o portal -g portal /data
WORKDIR /app
COPY --from=builder /out/ ./
USER portal
# AUTH=oidc requires OIDC_ISSUER; set AUTH=open for a portal that anyone who can reach it can use
ENV HOST=0.0.0.0 \
    PORT=3000 \
    AUTH=oidc \
    DATABASE_URL=sqlite:///data/portal.db \
    LEPTOS_SITE_ROOT=site
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/app/ai-stack-deployer", "healthcheck"]
ENTRYPOINT ["/app/ai-stack-deployer"]
