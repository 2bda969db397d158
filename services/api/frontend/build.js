// Builds services/api/static: every file of src/entries as one bundle with a hash of its content in
// its name, compressed ahead, and the manifest of names.
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const entries = join(here, "src/entries");
const target = join(here, "../static");
// What a page may load in all, compressed. A page loads page.js and its own script.
const MOST_BYTES = 200_000;
const SHELL = "page.js";

async function bundle() {
  const files = (await readdir(entries)).map((name) => join(entries, name));
  const { metafile } = await build({
    entryPoints: files,
    outdir: target,
    entryNames: "[name].[hash]",
    bundle: true,
    loader: { ".svg": "copy" },
    assetNames: "[name].[hash]",
    minify: true,
    format: "esm",
    target: ["es2022"],
    charset: "utf8",
    legalComments: "none",
    metafile: true,
    absWorkingDir: here,
  });
  return Object.entries(metafile.outputs).map(([file, { entryPoint }]) => [
    basename(entryPoint),
    join(here, file),
  ]);
}

async function compress(file) {
  const content = await readFile(file);
  const brotli = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  const gzip = gzipSync(content, { level: 9 });
  await Promise.all([writeFile(`${file}.br`, brotli), writeFile(`${file}.gz`, gzip)]);
  return { bytes: content.length, brotli: brotli.length, gzip: gzip.length };
}

await rm(target, { recursive: true, force: true });
await mkdir(target, { recursive: true });
const built = (await bundle()).sort();
const sizes = Object.fromEntries(
  await Promise.all(built.map(async ([name, file]) => [name, await compress(file)])),
);
const manifest = Object.fromEntries(built.map(([name, file]) => [name, relative(target, file)]));
await writeFile(join(target, "sizes.json"), `${JSON.stringify(sizes, null, 2)}\n`);
await writeFile(join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
for (const [name, size] of Object.entries(sizes)) {
  const bytes = kilobytes(size.bytes).padStart(10);
  const brotli = kilobytes(size.brotli).padStart(9);
  const gzip = kilobytes(size.gzip).padStart(9);
  console.log(`${name.padEnd(16)} ${bytes}  br ${brotli}  gz ${gzip}`);
}
const scripts = Object.entries(sizes).filter(([name]) => name.endsWith(".js") && name !== SHELL);
const heavy = scripts.filter(([, size]) => size.brotli + (sizes[SHELL]?.brotli ?? 0) > MOST_BYTES);
if (heavy.length) {
  const names = heavy.map(([name]) => name).join(", ");
  const most = kilobytes(MOST_BYTES);
  console.error(`A page's scripts weigh more than ${most} compressed: ${names}`);
  process.exitCode = 1;
}
