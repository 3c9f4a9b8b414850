# shellcheck shell=bash
# What building, testing and serving need on this machine: each function sets one thing up and does
# nothing where it is there already. Sourced by scripts/serve, scripts/test and the Dockerfile, from
# the top of the checkout. Nothing is installed into the checkout but npm packages; compiled tools go
# to the user's cache folder. Works with the bash 3.2 of macOS, too.
#
#   setup_build      the Rust toolchain with the WASM target, wasm-bindgen, cargo-leptos, wasm-opt, sass
#   setup_lint       rustfmt, clippy and cargo-deny
#   setup_servers    PostgreSQL, nginx and an identity provider, for the tests to start servers of their own
#   setup_browser    Playwright and a Chromium

CARGO_LEPTOS_VERSION=0.3.11
CARGO_DENY_VERSION=0.20.2
TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/ai-stack-deployer/tools"
export PATH="$TOOLS/bin:$PATH"

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# The value of a `key = "value"` line of Cargo.toml.
manifest_value() { sed -n "s/^$1 *= *\"=*\([^\"]*\)\".*/\1/p" Cargo.toml | head -n 1; }
# The version that a dependency is pinned to there, as in `name = { version = "=1.2.3" }`.
pinned_version() { sed -n "s/^$1 = { version = \"=\([^\"]*\)\".*/\1/p" Cargo.toml; }

# at_least WANTED FOUND: whether version FOUND is not older than WANTED
at_least() { [ -n "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# version_of COMMAND...: the version it prints, or nothing
version_of() { { "$@" --version 2>/dev/null || true; } | sed -n '1s/^[^ ]* \([0-9.]*\).*/\1/p'; }

# apt_install PACKAGE...: installs Debian packages where we may, and fails elsewhere
apt_install() {
  local as_root=()
  has apt-get || return 1
  if [ "$(id -u)" != 0 ]; then
    has sudo && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  say "installing $* with apt-get"
  # ${a[@]+...}: an empty array counts as unset in older versions of bash
  ${as_root[@]+"${as_root[@]}"} apt-get update -qq >&2 &&
    ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "$@" >&2
}

setup_build() {
  local wasm_bindgen toolchain
  has cargo || die "Rust is missing: install it from https://rustup.rs, then run this again"
  has npm || apt_install nodejs npm || die "Node.js (20 or newer) with npm is missing: install it, then run this again"
  has cc || apt_install gcc libc6-dev || die "a C compiler is missing: install one (on macOS: xcode-select --install), then run this again"
  # assigned first, since eval "$(...)" would hide a failure
  toolchain=$(scripts/wasm-toolchain)
  eval "$toolchain"
  at_least "$(manifest_value rust-version)" "$(version_of rustc)" ||
    die "Rust $(manifest_value rust-version) or newer is needed, this is $(version_of rustc): run \`rustup update\`, then run this again"

  npm_packages .
  # the version must be the very one of the library
  wasm_bindgen=$(pinned_version wasm-bindgen)
  [ "$(version_of wasm-bindgen)" = "$wasm_bindgen" ] ||
    cargo_tool wasm-bindgen wasm-bindgen-cli "$wasm_bindgen"
  at_least "$CARGO_LEPTOS_VERSION" "$(version_of cargo-leptos)" ||
    cargo_tool cargo-leptos cargo-leptos "$CARGO_LEPTOS_VERSION" --locked --ignore-rust-version --features no_downloads
}

setup_lint() {
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
  at_least "$CARGO_DENY_VERSION" "$(version_of cargo-deny)" ||
    cargo_tool cargo-deny cargo-deny "$CARGO_DENY_VERSION" --locked
}

setup_servers() {
  local missing=
  has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="postgresql"
  PATH="$PATH:/usr/sbin" has nginx || missing="$missing nginx-light"
  # shellcheck disable=SC2086 # unquoted: one word for each package
  [ -z "$missing" ] || apt_install $missing ||
    die "the programs of PostgreSQL (initdb, pg_ctl) and nginx are needed: install both, put them on the PATH, then run this again"
  # end2end/provider.mjs
  npm_packages end2end
}

setup_browser() {
  npm_packages end2end
  find_chromium || {
    if grep -qs '^ID=debian' /etc/os-release; then
      apt_install chromium fonts-dejavu-core fonts-liberation && find_chromium && return
    fi
    say "fetching Playwright's Chromium"
    (cd end2end && npx playwright install chromium)
  }
}

# Names an installed Chromium or Chrome in $CHROMIUM for end2end/playwright.config.ts.
find_chromium() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
    if [ -n "$candidate" ] && CHROMIUM=$(command -v "$candidate"); then
      export CHROMIUM
      return
    fi
  done
  unset CHROMIUM
  return 1
}

# npm_packages FOLDER: installs what its lockfile names, where that has changed since the last time
npm_packages() {
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock.json" && return
  say "installing the npm packages of $1/package-lock.json"
  (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error >&2)
  cp "$1/package-lock.json" "$1/node_modules/.installed-lock.json"
}

# cargo_tool COMMAND CRATE VERSION [ARGUMENT...]: a prebuilt one where cargo-binstall is at hand and what it
# finds runs here, else compiled with those arguments of `cargo install`, and lightly optimised: the
# defaults take three times as long.
cargo_tool() {
  local command=$1 crate=$2 version=$3
  shift 3
  if has cargo-binstall; then
    if cargo binstall --no-confirm --disable-strategies compile --root "$TOOLS" "$crate@$version" >&2 &&
      [ "$(version_of "$command")" = "$version" ]; then
      return
    fi
  else
    say "cargo-binstall is not installed: it would save compiling $crate"
  fi
  say "compiling $crate $version into $TOOLS: once for this machine, up to 10 minutes on two cores"
  CARGO_TARGET_DIR="$TOOLS/build" CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback \
    cargo install "$crate" --version "$version" --force --root "$TOOLS" "$@" >&2
  rm -rf "$TOOLS/build"
}
