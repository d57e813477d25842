// The model in a thread of its own, so that a page stays alive while it computes.
import { Classifier } from "./inference.js";

let classifier = null;

self.onmessage = async ({ data: { id, call, argument } }) => {
  try {
    self.postMessage({ id, result: await calls[call](argument) });
  } catch (error) {
    self.postMessage({ id, error: { code: error.code ?? null, message: String(error.message ?? error) } });
  }
};

const calls = {
  async load({ folder }) {
    classifier = await Classifier.create(new URL(folder));
    return classifier.card;
  },
  predict: ({ source, top }) => using(source, classifier.predict(source, top)),
  accelerate: ({ force }) => classifier.accelerate(force),
  explain: ({ source, labels }) => using(source, classifier.explain(source, labels)),
};

async function using(source, answer) {
  try {
    return await answer;
  } finally {
    source?.close?.(); // frames of a camera are few, and it waits for them
  }
}
