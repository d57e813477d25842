// Runs an exported page's model in Node for `export --to web --check`: photos in on standard input, each as width and
// height (32 bits, little-endian) and its RGB pixels; a line of JSON out for each.
import { pathToFileURL } from "node:url";

const chunks = process.stdin[Symbol.asyncIterator]();
let held = Buffer.alloc(0);

async function take(length) {
  const parts = [held];
  let size = held.length;
  while (size < length) {
    const { value, done } = await chunks.next();
    if (done) return null;
    parts.push(value);
    size += value.length;
  }
  const all = parts.length === 1 ? held : Buffer.concat(parts);
  held = all.subarray(length);
  return all.subarray(0, length);
}

async function main() {
  const place = pathToFileURL(`${process.argv[2]}/`);
  const { Classifier } = await import(new URL("inference.js", place).href);
  const classifier = await Classifier.create(place);
  process.stdout.write(`${JSON.stringify({ runtime: classifier.card.exported.runtime })}\n`);
  for (let head = await take(8); head !== null; head = await take(8)) {
    const [width, height] = [head.readUInt32LE(0), head.readUInt32LE(4)];
    const data = await take(width * height * 3);
    const started = performance.now();
    const { probabilities, typicality } = await classifier.outputs({ data, width, height });
    const seconds = (performance.now() - started) / 1000;
    process.stdout.write(`${JSON.stringify({ probabilities: [...probabilities], typicality, seconds })}\n`);
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    process.stderr.write(`\n${error.message}\n`);
    process.exit(1);
  },
);
