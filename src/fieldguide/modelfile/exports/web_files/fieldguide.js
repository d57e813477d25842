// An image classifier that fieldguide exported, for pages and for Node: docs/web.md.
//
//     import { load } from "./fieldguide.js";
//     const model = await load();
//     const answer = await model.predict(file);
import { RefusedInput } from "./errors.js";

export { RefusedInput };

const HERE = new URL(".", import.meta.url);

/**
 * Loads the model of an exported folder.
 *
 * @param folder Address of the folder; by default the one in which this file lies.
 * @param options `worker: false` computes in the calling thread, as Node always does.
 */
export async function load(folder = HERE, { worker = typeof Worker === "function" } = {}) {
  const place = new URL(folder, globalThis.document?.baseURI ?? import.meta.url);
  if (!place.pathname.endsWith("/")) place.pathname += "/";
  if (!worker) {
    const { Classifier } = await import("./inference.js");
    const classifier = await Classifier.create(place);
    return new Model(classifier.card, {
      predict: (source, top) => classifier.predict(source, top),
      explain: (source, labels) => classifier.explain(source, labels),
      accelerate: (force) => classifier.accelerate(force),
      close: () => classifier.release(),
    });
  }
  const thread = new Thread(new Worker(new URL("worker.js", HERE), { type: "module" }));
  try {
    const card = await thread.call("load", { folder: place.href });
    return new Model(card, {
      predict: (source, top) => thread.call("predict", { source, top }, transferred(source)),
      explain: (source, labels) => thread.call("explain", { source, labels }, transferred(source)),
      accelerate: (force) => thread.call("accelerate", { force }),
      close: () => thread.end(),
    });
  } catch (error) {
    thread.end();
    throw error;
  }
}

class Model {
  #calls;

  constructor(card, calls) {
    this.card = card;
    this.#calls = calls;
  }

  get classes() {
    return this.card.classes;
  }

  async predict(source, { top = 5 } = {}) {
    return this.#calls.predict(await sendable(source), top);
  }

  async accelerate({ force = false } = {}) {
    return this.#calls.accelerate(force);
  }

  get explains() {
    return this.card.heat_maps?.exact === true;
  }

  async explain(source, { labels = null } = {}) {
    return this.#calls.explain(await sendable(source), labels);
  }

  async overlay(heat, picture, canvas, { beside = [heat] } = {}) {
    const { draw } = await import("./overlay.js");
    draw(heat, picture, canvas, this.card.preprocessing, beside);
  }

  async close() {
    await this.#calls.close();
  }
}

class Thread {
  #worker;
  #waiting = new Map();
  #number = 0;

  constructor(worker) {
    this.#worker = worker;
    worker.onmessage = ({ data: { id, result, error } }) => {
      const { done, failed } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (!error) done(result);
      else failed(error.code === null ? new Error(error.message) : new RefusedInput(error.code, error.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`The model's thread could not be started or has ended (${event.message ?? "no reason given"}).`);
    };
  }

  call(call, argument, transfer = []) {
    return new Promise((done, failed) => {
      const id = this.#number++;
      this.#waiting.set(id, { done, failed });
      this.#worker.postMessage({ id, call, argument }, transfer);
    });
  }

  end() {
    this.#worker.terminate();
    this.#fail("The model was closed.");
  }

  #fail(message) {
    for (const { failed } of this.#waiting.values()) failed(new Error(message));
    this.#waiting.clear();
  }
}

/** Elements of a page cannot go to another thread; what they show can. */
async function sendable(source) {
  const isElement = typeof Element === "function" && source instanceof Element;
  return isElement ? createImageBitmap(source, { premultiplyAlpha: "none", colorSpaceConversion: "none" }) : source;
}

/** A bitmap or a frame is handed over, not copied. */
function transferred(source) {
  const kinds = [globalThis.ImageBitmap, globalThis.VideoFrame].filter((kind) => kind !== undefined);
  return kinds.some((kind) => source instanceof kind) ? [source] : [];
}
