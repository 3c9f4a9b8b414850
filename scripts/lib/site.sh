# shellcheck shell=bash
# Builds the portal to where `cargo leptos build` does: the server in the target folder, and the site, which is what the
# browser loads, in $SITE. With cargo-leptos where it is installed; elsewhere with the same steps, run from here.
# `scripts/test site` holds the two ways to the same site. Sourced after setup.sh.
#
#   build_portal MODE           everything, from what the machine lacks; `plan build_portal MODE` comes before
#   build_both MODE             server and site. MODE is dev or release: optimised, minified and compressed, too

TARGET="${CARGO_TARGET_DIR:-target}"
SITE="${LEPTOS_SITE_ROOT:-$(manifest_value site-root)}"

build_portal() {
  setup_build
  stage "compiling the server and, beside it, what runs in the browser" "8 minutes" build_both "$1"
}

# Both at once: each compiles long on one core alone, and they use different folders. The site's words are shown if it
# fails. It is a process group of its own, so that setup.sh can end all of it with this script.
build_both() {
  local log
  log=$(mktemp)
  set -m
  build_site "$1" >"$log" 2>&1 </dev/null &
  BESIDE=$!
  set +m
  build_server "$1"
  kill -0 "$BESIDE" 2>/dev/null && say "the server is compiled, what runs in the browser not yet"
  wait "$BESIDE" || { BESIDE=; cat "$log" >&2; exit 1; }
  BESIDE=
  rm -f "$log"
}

build_site() {
  if has_cargo_leptos; then site_by_cargo_leptos "$1"; else site_by_steps "$1"; fi
}

# That of `cargo leptos build`: the name of the site's files, which Leptos has compiled in, stands in .cargo/config.toml.
build_server() { cargo build --bin ai-stack-deployer --features ssr --profile "$1"; }

site_by_cargo_leptos() {
  case $1 in
    dev) LEPTOS_SITE_ROOT="$SITE" cargo leptos build --frontend-only ;;
    release) LEPTOS_SITE_ROOT="$SITE" cargo leptos build --frontend-only --release --precompress ;;
  esac
}

site_by_steps() {
  local name out=$SITE/pkg
  name=$(manifest_value output-name)
  cargo build --lib --features hydrate --profile "wasm-$1" --target wasm32-unknown-unknown --target-dir "$TARGET/front"
  mkdir -p "$SITE"
  find "$SITE" -mindepth 1 -delete
  cp -R public/. "$SITE"
  wasm-bindgen --target=web --out-name="$name" --out-dir="$out" \
    "$TARGET/front/wasm32-unknown-unknown/wasm-$1/ai_stack_deployer.wasm"
  mv "$out/${name}_bg.wasm" "$out/$name.wasm" # where Leptos looks for it
  [ "$1" = dev ] ||
    node_modules/.bin/wasm-opt -Oz --enable-bulk-memory --enable-nontrapping-float-to-int "$out/$name.wasm" -o "$out/$name.wasm"
  node scripts/lib/site.mjs "$1" "$SITE" "pkg/$name" "$(manifest_value style-file)" "$(manifest_value browserquery)"
}
