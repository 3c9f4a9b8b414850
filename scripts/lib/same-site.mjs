// Compares two builds of the site: the same files with the same content. What is compressed is compared unpacked, since two
// compressors need not write the same bytes.
//    node scripts/lib/same-site.mjs FOLDER FOLDER
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const unpack = { '.gz': zlib.gunzipSync, '.br': zlib.brotliDecompressSync };

const read = folder =>
  new Map(
    fs
      .readdirSync(folder, { recursive: true })
      .filter(name => fs.statSync(path.join(folder, name)).isFile())
      .map(name => {
        const bytes = fs.readFileSync(path.join(folder, name));
        return [name, unpack[path.extname(name)]?.(bytes) ?? bytes];
      }),
  );

const [one, other] = process.argv.slice(2).map(read);
const names = [...new Set([...one.keys(), ...other.keys()])].sort();
const different = names.filter(name => !(one.has(name) && other.get(name)?.equals(one.get(name))));
console.log(`${names.length} files, different: ${different.join(' ') || 'none'}`);
process.exitCode = names.length > 0 && different.length === 0 ? 0 : 1;
