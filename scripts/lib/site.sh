# shellcheck shell=bash
# Builds the portal into the same folders as `cargo leptos build`: the server into the target folder; the site, which
# the browser loads, into $SITE. Uses cargo-leptos for the site if it is installed, otherwise the same steps without it;
# `scripts/test site` checks that the result is the same. Sourced after setup.sh.
#
#   build_portal MODE           missing tools, server and site; call `plan build_portal MODE` first
#   build_both MODE             server and site. MODE is dev, or release, which also optimises, minifies and compresses
#
# SERVER_PROFILE=dist compiles the server of a release with that profile, as for the image: smaller, but not as soon.

TARGET="${CARGO_TARGET_DIR:-target}"
SITE="${LEPTOS_SITE_ROOT:-$(manifest_value site-root)}"

build_portal() {
  setup_build
  stage "compiling the server and, in parallel, the browser's WebAssembly" "8 minutes" build_both "$1"
}

# Builds both in parallel: each compiles on a single core for a long time, and they use different folders. The output of
# the site's build is shown if it fails. It is a process group of its own, so that setup.sh can end it with this script.
build_both() {
  local log
  log=$(mktemp)
  set -m
  build_site "$1" >"$log" 2>&1 </dev/null &
  BESIDE=$!
  set +m
  build_server "$1"
  kill -0 "$BESIDE" 2>/dev/null && say "the server is compiled; waiting for the browser's WebAssembly"
  wait "$BESIDE" || { BESIDE=; cat "$log" >&2; exit 1; }
  BESIDE=
  rm -f "$log"
}

build_site() {
  if has_cargo_leptos; then site_by_cargo_leptos "$1"; else site_by_steps "$1"; fi
}

# The same server as that of `cargo leptos build`: .cargo/config.toml sets the name of the site's files, which Leptos
# compiles in.
build_server() { cargo build --bin ai-stack-deployer --features ssr --profile "${SERVER_PROFILE:-$1}"; }

# cargo-leptos builds the code of all islands as one, which serves all pages. Each page gets less of it here.
site_by_cargo_leptos() {
  local name
  name=$(manifest_value output-name)
  case $1 in
    dev) LEPTOS_SITE_ROOT="$SITE" cargo leptos build --frontend-only ;;
    release) LEPTOS_SITE_ROOT="$SITE" cargo leptos build --frontend-only --release --precompress ;;
  esac
  add_module "$1" hydrate "$name"
  node scripts/lib/site.mjs "$1" "$SITE" "pkg/$name"
  add_small "$1"
}

site_by_steps() {
  local name
  name=$(manifest_value output-name)
  mkdir -p "$SITE"
  find "$SITE" -mindepth 1 -delete
  cp -R public/. "$SITE"
  add_module "$1" hydrate "$name"
  node scripts/lib/site.mjs "$1" "$SITE" "pkg/$name" "$(manifest_value style-file)" "$(manifest_value browserquery)"
  add_small "$1"
}

# The small forms of the code, which pages without a deployment load, and the style sheet of the pages of stacks. A site without them works if the whole one has
# everything.
add_small() {
  local name
  name=$(manifest_value output-name)
  add_form "$1" name-form "$name-controls"
  add_form "$1" question-form "$name-questions"
  node scripts/lib/site.mjs "$1" "$SITE" "pkg/$name-stack" style/stack.scss "$(manifest_value browserquery)"
}

# add_form MODE FEATURE NAME: a small form of the code
add_form() {
  add_module "$@"
  node scripts/lib/site.mjs "$1" "$SITE" "pkg/$3"
}

# add_module MODE FEATURE NAME: a form of the code, as WebAssembly with its JavaScript
add_module() {
  local out=$SITE/pkg
  cargo build --lib --features "$2" --profile "wasm-$1" --target wasm32-unknown-unknown --target-dir "$TARGET/front"
  wasm-bindgen --target=web --out-name="$3" --out-dir="$out" \
    "$TARGET/front/wasm32-unknown-unknown/wasm-$1/ai_stack_deployer.wasm"
  mv "$out/$3_bg.wasm" "$out/$3.wasm" # the name that Leptos expects
  # Inlining would make the file smaller, but what is sent of it, compressed, larger.
  [ "$1" = dev ] ||
    node_modules/.bin/wasm-opt --always-inline-max-function-size=1 --one-caller-inline-max-function-size=0 \
      -Oz --enable-bulk-memory --enable-nontrapping-float-to-int "$out/$3.wasm" -o "$out/$3.wasm"
}
