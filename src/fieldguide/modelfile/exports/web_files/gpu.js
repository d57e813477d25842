// A visitor's graphics processor, by WebGPU, where it gives the same answers in less time.
const NEAR = 1e-3; // of a probability or typicality; each processor adds up in an order of its own
const FASTER = 0.8; // of the time that the processor takes
const TRIES = 3;

/** A session on the graphics processor; throws an Error that says why there is none. */
export async function onGraphicsProcessor(classifier, force) {
  const adapter = await globalThis.navigator?.gpu?.requestAdapter();
  if (!adapter) throw new Error("this browser offers no graphics processor");
  if (adapter.info?.isFallbackAdapter && !force) throw new Error("this browser only imitates a graphics processor");
  const ort = await import("./runtime/ort.webgpu.js");
  const binary = new URL("runtime/ort-wasm-simd-threaded.asyncify.wasm", import.meta.url);
  ort.env.wasm.wasmPaths = { wasm: binary.href };
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(new Uint8Array(classifier.content), {
    executionProviders: ["webgpu", "wasm"],
    logSeverityLevel: 3,
  });
  try {
    await compare(classifier, { ort, session }, force);
  } catch (error) {
    await session.release();
    throw error;
  }
  return { ort, session };
}

async function compare(classifier, gpu, force) {
  const seconds = { own: [], gpu: [] };
  for (let round = 0; round <= TRIES; round++) {
    const square = noise(3 * classifier.card.preprocessing.size ** 2, round);
    const [own, its] = [await timed(classifier, square, seconds.own), await timed(classifier.with(gpu), square, seconds.gpu)];
    const apart = Math.max(...own.map((value, place) => Math.abs(value - its[place])));
    if (!(apart <= NEAR)) throw new Error(`its answers differ by ${apart.toPrecision(2)}`);
  }
  // The first round compiles what the others run.
  const [own, its] = [seconds.own, seconds.gpu].map((all) => Math.min(...all.slice(1)));
  if (!force && !(its <= FASTER * own)) {
    throw new Error(`it takes ${Math.round(its)} ms for a photo, the processor ${Math.round(own)} ms`);
  }
}

async function timed(computer, square, seconds) {
  const started = performance.now();
  const { probabilities, typicality } = await computer.compute(square);
  seconds.push(performance.now() - started);
  return [...probabilities, typicality];
}

/** Pixels that look like nothing, the same each time (a linear congruential generator). */
function noise(length, seed) {
  const pixels = new Uint8Array(length);
  let state = seed + 1;
  for (let place = 0; place < length; place++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    pixels[place] = state >>> 24;
  }
  return pixels;
}
