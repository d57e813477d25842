// A model file in ONNX Runtime Web: squares in, answers out, by the rules of its card.
import { RefusedInput } from "./errors.js";
import { squareOf } from "./resize.js";

const SEAL_BYTES = 87;

/** A model in the thread that made it. */
export class Classifier {
  /** Loads the model, its card and the runtime from a folder. */
  static async create(folder) {
    const [ort, card, content] = await Promise.all([
      import("./runtime/ort.js"),
      read(new URL("card.json", folder)).then((bytes) => JSON.parse(new TextDecoder().decode(bytes))),
      read(new URL("model.onnx", folder)),
    ]);
    await checkSeal(content, card.exported.seal);
    await sayWhereBinaryLies(ort.env.wasm);
    ort.env.wasm.numThreads = 1; // more would take headers that hosts of plain files do not send
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(new Uint8Array(content), {
      executionProviders: ["wasm"],
    });
    return new Classifier(ort, session, card, content);
  }

  constructor(ort, session, card, content) {
    this.ort = ort;
    this.session = session;
    this.card = card;
    this.content = content;
    this.heatMaps = null;
    this.gpu = null;
    this.turn = Promise.resolve();
  }

  /** The answer to one image: whatever a browser can draw, or pixels in memory. */
  async predict(source, top = 5) {
    const { probabilities, typicality } = await this.outputs(source);
    return judged(this.card, probabilities, typicality, top);
  }

  /** What the model computes: `probabilities` and `typicality`. */
  async outputs(source) {
    const square = await this.square(source);
    return this.gpu === null ? this.compute(square) : this.inTurn(() => this.computeOnGpu(square));
  }

  async computeOnGpu(square) {
    if (this.gpu !== null) {
      try {
        return await this.with(this.gpu).compute(square);
      } catch {
        this.gpu = null; // lost, as after a driver's update; the processor answers from now on
      }
    }
    return this.compute(square);
  }

  /** One call at a time: of two, ONNX Runtime Web for WebGPU never answers the one that waits. */
  inTurn(call) {
    const answer = this.turn.then(call);
    this.turn = answer.catch(() => {}); // the next one does not mind
    return answer;
  }

  /** The same for a square of the network's size. */
  async compute(square) {
    return checked(await this.session.run({ image: this.tensor(square) }, ["probabilities", "typicality"]));
  }

  /** The same model in another session. */
  with({ ort, session }) {
    return new Classifier(ort, session, this.card, this.content);
  }

  /** Has the graphics processor answer from now on, if it gives the same answers in less time; `force`: in any time. */
  async accelerate(force = false) {
    if (!this.card.exported.gpu) return { processor: "cpu", reason: "this page was exported without --gpu" };
    try {
      const { onGraphicsProcessor } = await import("./gpu.js");
      await this.inTurn(async () => {
        this.gpu ??= await onGraphicsProcessor(this, force);
      });
      return { processor: "gpu", reason: "" };
    } catch (error) {
      return { processor: "cpu", reason: String(error.message ?? error) };
    }
  }

  /** What each place of an image adds to the scores of some classes; without labels, of the most probable one. */
  async explain(source, labels = null) {
    const { heat_maps: how, classes } = this.card;
    if (!how?.exact) {
      throw new Error(`This model has no heat maps: its scores do not add up from places (${how?.reason ?? "not told"}).`);
    }
    const columns = labels?.map((label) => classes.indexOf(label)) ?? null;
    if (columns?.includes(-1)) throw new Error("A label is none of the model's classes; see `classes`.");
    const image = await this.image(source);
    return (await this.heat()).explain(image, columns);
  }

  /** Made when first asked for, since few visitors ask. */
  heat() {
    const make = ({ HeatMaps }) => HeatMaps.create(this.ort, this.content, this.card);
    this.heatMaps ??= import("./heat.js").then(make).catch((error) => {
      this.heatMaps = null; // the next one may have more luck
      throw error;
    });
    return this.heatMaps;
  }

  async image(source) {
    return this.tensor(await this.square(source));
  }

  tensor(square) {
    const { size } = this.card.preprocessing;
    return new this.ort.Tensor("uint8", square, [1, size, size, 3]);
  }

  async square(source) {
    if (ArrayBuffer.isView(source?.data)) {
      const { data, width, height } = source;
      const channels = data.length / (width * height);
      if (!(width > 0 && height > 0) || (channels !== 3 && channels !== 4)) {
        throw new RefusedInput("wrong_type", "Pixels are { data, width, height } in RGB or RGBA, 8 bits each.");
      }
      return squareOf(source, this.card.preprocessing);
    }
    if (typeof OffscreenCanvas === "undefined") {
      throw new RefusedInput(
        "wrong_type",
        "Nothing here decodes image files; give the pixels: { data, width, height } in RGB or RGBA.",
      );
    }
    const { squareFrom } = await import("./decode.js");
    return squareFrom(source, this.card.preprocessing);
  }

  async release() {
    const heatMaps = await this.heatMaps;
    await this.inTurn(async () => {
      const gpu = this.gpu;
      this.gpu = null;
      await gpu?.session.release();
    });
    await heatMaps?.release();
    await this.session.release();
  }
}

/** A model's first two outputs for one image. */
export function checked({ probabilities: { data: probabilities }, typicality: { data: [typicality] } }) {
  if (![...probabilities, typicality].every(Number.isFinite)) {
    throw new RefusedInput("no_answer", "The model's answer to this image is not a number.");
  }
  return { probabilities, typicality };
}

/** What a model says of an image, from its outputs, by the thresholds of its card. */
export function judged({ classes, thresholds, task }, probabilities, typicality, top) {
  // The thresholds are compared in single precision, as everywhere else.
  const order = [...probabilities.keys()].sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  const floor = (column) => Math.fround(thresholds.set_by_class?.[column] ?? thresholds.set ?? Infinity);
  const isGiven = (column) => probabilities[column] >= Math.fround(thresholds.tags[column]);
  const given = task === "multiple" ? order.filter(isGiven) : null; // any number of tags, or one label
  const promised = order.filter((column) => probabilities[column] >= floor(column) || given?.includes(column));
  const members = thresholds.set === null && given === null ? [order[0]] : promised;
  const unknown = typicality < Math.fround(thresholds.unknown);
  const labels = given?.map((column) => classes[column]);
  const label = classes[order[0]];
  return {
    answer: unknown ? "unknown" : (labels?.join("|") ?? label),
    label,
    ...(labels && { labels }),
    probability: probabilities[order[0]],
    typicality,
    unknown,
    set: members.map((column) => classes[column]),
    top: order.slice(0, top).map((column) => ({ label: classes[column], probability: probabilities[column] })),
  };
}

async function read(address) {
  if (address.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return readFile(address);
  }
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address.pathname} cannot be loaded (${answer.status}); upload the whole folder.`);
  return answer.arrayBuffer();
}

/** A browser compiles WebAssembly while it loads, given the address; Node is given the bytes. */
async function sayWhereBinaryLies(settings) {
  const address = new URL("runtime/ort-wasm-simd-threaded.wasm", import.meta.url);
  if (address.protocol === "file:") settings.wasmBinary = await read(address);
  else settings.wasmPaths = { wasm: address.href };
}

/** The model must be the one that the card belongs to, whole; where pages are not secure, nobody can tell. */
async function checkSeal(content, seal) {
  if (!globalThis.crypto?.subtle) return;
  const body = new Uint8Array(content).subarray(0, -SEAL_BYTES);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== seal) {
    throw new Error("model.onnx is damaged or belongs to another export; upload the whole folder again.");
  }
}
