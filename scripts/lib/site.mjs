// What cargo-leptos does itself after the programs that it runs, with the same libraries: the style sheet for the browsers
// that we support, and in a release the minified JavaScript and a compressed copy of every file.
// Without a style sheet or without a script, it does the rest only for the files whose names begin so.
//    node scripts/lib/site.mjs dev|release FOLDER NAME [STYLE BROWSERS]
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import swc from '@swc/wasm';
import startLightningCss, { transform } from 'lightningcss-wasm';
import * as sass from 'sass';

const [mode, folder, name, style, browsers] = process.argv.slice(2);
const release = mode === 'release';

/** Reads `firefox 140, safari 18.5` as Lightning CSS wants it: each part of a version is a byte. */
const targets = query =>
  Object.fromEntries(
    query.split(', ').map(browser => {
      const [, name, major, minor = 0] = browser.match(/^(\w+) (\d+)(?:\.(\d+))?$/);
      return [name, (major << 16) | (minor << 8)];
    }),
  );

if (style) {
  await startLightningCss();
  const css = transform({
    filename: style,
    code: Buffer.from(sass.compile(style).css),
    targets: targets(browsers),
    minify: release,
  });
  fs.writeFileSync(path.join(folder, `${name}.css`), css.code);
}

if (release) {
  const script = path.join(folder, `${name}.js`);
  const hasScript = fs.existsSync(script);
  if (hasScript) {
    const minified = swc.minifySync(fs.readFileSync(script, 'utf8'), { compress: true, mangle: true, module: true });
    fs.writeFileSync(script, minified.code);
  }

  for (const entry of fs.readdirSync(folder, { recursive: true })) {
    const file = path.join(folder, entry);
    if (fs.statSync(file).isDirectory() || (!(style && hasScript) && !entry.startsWith(name))) continue;
    const content = fs.readFileSync(file);
    fs.writeFileSync(`${file}.gz`, zlib.gzipSync(content, { level: 9 }));
    fs.writeFileSync(`${file}.br`, zlib.brotliCompressSync(content));
  }
}
