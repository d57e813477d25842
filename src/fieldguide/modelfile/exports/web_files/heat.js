// What each place of an image adds to a class's score, from values inside the model, which its card names:
// docs/explain.md. What does not add up to the score is not given.
import { checked } from "./inference.js";

const TOLERANCE = 1e-3;

/** A second session of a model, which also gives the maps before pooling. */
export class HeatMaps {
  static async create(ort, content, card) {
    const { scores, weights, parts } = card.heat_maps;
    const values = [...new Set([scores, ...parts.map(({ map }) => map)])];
    const more = withOutputs(content, [...values, weights.tensor]);
    const session = await ort.InferenceSession.create(more, { executionProviders: ["wasm"] });
    return new HeatMaps(session, card, ["probabilities", "typicality", ...values]);
  }

  constructor(session, card, names) {
    this.session = session;
    this.card = card;
    this.names = names;
    this.weights = null;
  }

  /** The maps of some classes, by number, for one square; without numbers, of the most probable class. */
  async explain(image, columns) {
    const { heat_maps: how, classes, preprocessing } = this.card;
    const names = this.weights ? this.names : [...this.names, how.weights.tensor];
    const found = await this.session.run({ image }, names);
    const { probabilities } = checked(found);
    this.weights ??= found[how.weights.tensor].data;
    const best = probabilities.reduce((best, value, column) => (value > probabilities[best] ? column : best), 0);
    return (columns ?? [best]).map((column) => {
      const [score, bias] = [found[how.scores].data[column], how.bias[column]];
      const map = this.map(found, column);
      if (!(Math.abs(map.reduce((sum, value) => sum + value, bias) - score) <= TOLERANCE)) {
        throw new Error("The heat map of this image does not add up to the score, so it is not shown.");
      }
      const { size } = preprocessing;
      return { label: classes[column], probability: probabilities[column], score, bias, size, map: Float32Array.from(map) };
    });
  }

  map(found, column) {
    const { parts, views } = this.card.heat_maps;
    const whole = new Float64Array(this.card.preprocessing.size ** 2);
    views.forEach((view, number) => {
      const grids = new Map(); // maps of the same size are added up before they are spread
      let feature = 0;
      for (const part of parts) {
        const laid = laidOut(found[part.map], part.axes);
        const key = `${laid.height} × ${laid.width}`;
        if (!grids.has(key)) grids.set(key, { ...laid, cells: new Float64Array(laid.height * laid.width) });
        const factor = view.weight * part.scale;
        const weight = (channel) => factor * this.weight(feature + channel, column);
        addCells(grids.get(key).cells, laid, number, part.kind, weight);
        feature += laid.channels;
      }
      for (const grid of grids.values()) spread(grid, view, whole);
    });
    return whole;
  }

  weight(feature, column) {
    const { weights, factors, bias } = this.card.heat_maps;
    const at = weights.transposed ? column * (this.weights.length / bias.length) + feature : feature * bias.length + column;
    return this.weights[at] * (factors?.[column] ?? 1);
  }

  async release() {
    await this.session.release();
  }
}

/** A value as a map: how far apart its channels and cells lie. */
function laidOut({ data, dims }, axes) {
  if (axes.length === 1) {
    const side = Math.round(Math.sqrt(dims[1])); // a row of tokens
    return { data, height: side, width: side, channels: dims[2], channelStep: 1, cellStep: dims[2] };
  }
  const [channels, height, width] = axes[0] === 2 ? dims.slice(1) : [dims[3], dims[1], dims[2]];
  const cells = height * width;
  return axes[0] === 2
    ? { data, height, width, channels, channelStep: cells, cellStep: 1 }
    : { data, height, width, channels, channelStep: 1, cellStep: channels };
}

/** Adds what each cell of a map adds: of a mean its part, of a largest value all (equal ones share). */
function addCells(cells, { data, channels, channelStep, cellStep }, view, kind, weight) {
  const count = cells.length;
  for (let channel = 0; channel < channels; channel++) {
    const from = view * channels * count + channel * channelStep;
    const value = (cell) => data[from + cell * cellStep];
    if (kind === "mean") {
      const share = weight(channel) / count;
      for (let cell = 0; cell < count; cell++) cells[cell] += share * value(cell);
      continue;
    }
    let largest = -Infinity;
    let places = [];
    for (let cell = 0; cell < count; cell++) {
      if (value(cell) > largest) [largest, places] = [value(cell), [cell]];
      else if (value(cell) === largest) places.push(cell);
    }
    for (const cell of places) cells[cell] += (weight(channel) * largest) / places.length;
  }
}

/** Adds cells to the image's pixels, each spread evenly over its square, brought back to where a view saw it. */
function spread({ cells, height, width }, { down, across, mirrored }, whole) {
  const size = Math.sqrt(whole.length);
  const rows = shares(size, height, down, false);
  const columns = shares(size, width, across, mirrored);
  const tall = new Float64Array(size * width);
  for (const [pixel, cell, share] of rows) {
    for (let x = 0; x < width; x++) tall[pixel * width + x] += share * cells[cell * width + x];
  }
  for (const [pixel, cell, share] of columns) {
    for (let y = 0; y < size; y++) whole[y * size + pixel] += share * tall[y * width + cell];
  }
}

/** Along one axis: which pixel of the image has which share of which cell. */
function shares(size, cells, moved, mirrored) {
  const found = [];
  for (let place = 0; place < size; place++) {
    const seen = Math.abs((mirrored ? size - 1 - place : place) + moved);
    const pixel = seen >= size ? 2 * (size - 1) - seen : seen; // the border is reflected
    for (let cell = Math.floor((place * cells) / size); cell < cells; cell++) {
      const above = Math.min((place + 1) / size, (cell + 1) / cells);
      const share = (above - Math.max(place / size, cell / cells)) * cells;
      if (share <= 0) break;
      found.push([pixel, cell, share]);
    }
  }
  return found;
}

/** The same model with further outputs: protobuf merges a field that stands twice, as docs/artifact.md says. */
function withOutputs(content, names) {
  const outputs = names.map((name) => field(12, field(1, new TextEncoder().encode(name))));
  return joined([new Uint8Array(content), field(7, joined(outputs))]);
}

function field(number, content) {
  return joined([Uint8Array.of((number << 3) | 2), ...spelled(content.length), content]);
}

function spelled(number) {
  const low = number & 0x7f;
  return number > 0x7f ? [Uint8Array.of(low | 0x80), ...spelled(number >>> 7)] : [Uint8Array.of(low)];
}

function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
