// From an upright image of any size to the network's square: docs/artifact.md, "How an image is resized", to the
// bit. First means of blocks, then Pillow's antialiased filter (src/libImaging/Resample.c) with its weights of 22
// bits, rows before columns. Rows are taken in bands, so that a large photo is never held as a whole.

const FILTERS = {
  bicubic: { support: 2, weight: bicubic },
  bilinear: { support: 1, weight: (x) => (Math.abs(x) < 1 ? 1 - Math.abs(x) : 0) },
};
const PRECISION = 22;

/** Takes the rows of an image band by band, from the top, and gives the square at the end. */
export class Square {
  constructor(width, height, preprocessing) {
    this.width = width;
    this.preprocessing = preprocessing;
    const { across, down } = sides(width, height, preprocessing);
    this.size = preprocessing.size;
    this.across = across;
    this.down = down;
    this.shrunk = new Uint8Array(across.count * down.count * 3);
    this.sums = new Float64Array(across.count * 3);
    this.row = 0;
  }

  /** Whole rows of RGBA (4 channels; transparency is composited on white, in `data` itself) or RGB (3). */
  add(data, channels) {
    const rows = data.length / (this.width * channels);
    if (channels === 4) compositeOnWhite(data);
    for (let row = 0; row < rows; row++, this.row++) this.addRow(data, row * this.width * channels, channels);
  }

  addRow(data, begin, channels) {
    const { across, down, sums } = this;
    const place = this.row - down.start;
    if (place < 0 || place >= down.count * down.factor) return;
    const target = Math.floor(place / down.factor);
    let at = begin + across.start * channels;
    if (across.factor === 1 && down.factor === 1) {
      let out = target * across.count * 3;
      for (let column = 0; column < across.count; column++, at += channels, out += 3) {
        this.shrunk[out] = data[at];
        this.shrunk[out + 1] = data[at + 1];
        this.shrunk[out + 2] = data[at + 2];
      }
      return;
    }
    for (let block = 0; block < across.count; block++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let column = 0; column < across.factor; column++, at += channels) {
        red += data[at];
        green += data[at + 1];
        blue += data[at + 2];
      }
      sums[block * 3] += red;
      sums[block * 3 + 1] += green;
      sums[block * 3 + 2] += blue;
    }
    if (place % down.factor !== down.factor - 1) return;
    const pixels = across.factor * down.factor;
    const out = target * sums.length;
    for (let i = 0; i < sums.length; i++) this.shrunk[out + i] = Math.floor((sums[i] + pixels / 2) / pixels);
    sums.fill(0);
  }

  /** The square: RGB, size × size × 3. */
  pixels() {
    const { size, across, down, preprocessing } = this;
    const filter = FILTERS[preprocessing.interpolation];
    const wide = across.count;
    const high = down.count;
    // Before there were blocks, Pillow's own rule decided which came first.
    if (preprocessing.shrink !== "halving" && high - size > 2 * Math.max(wide - size, 0)) {
      return resizeRows(resizeColumns(this.shrunk, wide, high, size, filter), wide, size, size, filter);
    }
    return resizeColumns(resizeRows(this.shrunk, wide, high, size, filter), size, high, size, filter);
  }
}

/** The square of an image that is in memory: RGBA or RGB, as its length says. */
export function squareOf({ data, width, height }, preprocessing) {
  const square = new Square(width, height, preprocessing);
  const channels = data.length / (width * height);
  square.add(channels === 4 ? data.slice() : data, channels); // compositing writes into the pixels
  return square.pixels();
}

/** The part of an upright image that the network sees, in its pixels. */
export function areaOf(width, height, preprocessing) {
  const { across, down } = sides(width, height, preprocessing);
  const [wide, high] = [across.count * across.factor, down.count * down.factor];
  return { left: across.start, top: down.start, width: wide, height: high };
}

function sides(width, height, preprocessing) {
  const crops = preprocessing.mode === "crop";
  const shorter = Math.min(width, height);
  return {
    across: side(width, crops ? shorter : width, preprocessing),
    down: side(height, crops ? shorter : height, preprocessing),
  };
}

function side(whole, seen, { size, shrink }) {
  const blocks = Math.floor(seen / (2 * size));
  const factor = shrink === "halving" && blocks > 1 ? 2 ** Math.floor(Math.log2(blocks)) : 1;
  const count = Math.floor(seen / factor);
  return { factor, count, start: Math.floor((whole - count * factor) / 2) };
}

/** Pillow's alpha_composite over white, in place; the fourth number of a pixel is left as it is. */
export function compositeOnWhite(data) {
  for (let at = 0; at < data.length; at += 4) {
    const alpha = data[at + 3];
    if (alpha === 255) continue;
    for (let channel = at; channel < at + 3; channel++) {
      if (alpha === 0) data[channel] = 255;
      else {
        const mixed = ((data[channel] * alpha + 255 * (255 - alpha)) << 7) + (0x80 << 7);
        data[channel] = ((mixed >> 8) + mixed) >> 8 >> 7;
      }
    }
  }
}

function resizeRows(data, width, height, size, filter) {
  if (width === size) return data;
  const { starts, weights, taps } = weightsOf(width, size, filter);
  const out = new Uint8Array(size * height * 3);
  for (let row = 0; row < height; row++) {
    const begin = row * width * 3;
    for (let x = 0; x < size; x++) {
      let red = 1 << (PRECISION - 1);
      let green = red;
      let blue = red;
      let at = begin + starts[x] * 3;
      for (let tap = x * taps, end = tap + taps; tap < end; tap++, at += 3) {
        const weight = weights[tap];
        red = (red + Math.imul(data[at], weight)) | 0;
        green = (green + Math.imul(data[at + 1], weight)) | 0;
        blue = (blue + Math.imul(data[at + 2], weight)) | 0;
      }
      const to = (row * size + x) * 3;
      out[to] = level(red);
      out[to + 1] = level(green);
      out[to + 2] = level(blue);
    }
  }
  return out;
}

function resizeColumns(data, width, height, size, filter) {
  if (height === size) return data;
  const { starts, weights, taps } = weightsOf(height, size, filter);
  const line = width * 3;
  const out = new Uint8Array(size * line);
  const sums = new Int32Array(line);
  for (let y = 0; y < size; y++) {
    sums.fill(1 << (PRECISION - 1));
    for (let tap = 0; tap < taps; tap++) {
      const weight = weights[y * taps + tap];
      if (weight === 0) continue;
      const at = (starts[y] + tap) * line;
      for (let i = 0; i < line; i++) sums[i] += Math.imul(data[at + i], weight);
    }
    for (let i = 0; i < line; i++) out[y * line + i] = level(sums[i]);
  }
  return out;
}

function level(sum) {
  const value = sum >> PRECISION;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

/** For each output pixel, where its neighbours begin and their weights in units of 2 ** -22. */
function weightsOf(length, size, { support, weight }) {
  const scale = length / size;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const taps = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(size);
  const weights = new Int32Array(size * taps);
  for (let x = 0; x < size; x++) {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const count = Math.min(length, Math.trunc(centre + reach + 0.5)) - first;
    const values = [];
    let sum = 0;
    for (let i = 0; i < count; i++) {
      values.push(weight((i + first - centre + 0.5) * (1 / stretch)));
      sum += values[i];
    }
    for (let i = 0; i < count; i++) {
      const share = sum === 0 ? values[i] : values[i] / sum;
      weights[x * taps + i] = Math.trunc((share < 0 ? -0.5 : 0.5) + share * 2 ** PRECISION);
    }
    starts[x] = Math.min(first, Math.max(0, length - 1));
  }
  return { starts, weights, taps };
}

function bicubic(x) {
  const a = -0.5;
  x = Math.abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}
