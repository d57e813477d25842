// A heat map over its photo, as `fieldguide explain` draws it: blue places speak against the class, orange ones
// for it, through colours that are evenly spaced in Oklab; the photo is light grey, so that every colour seen is
// the map's.
import { areaOf } from "./resize.js";

const SHADES = 511; // odd, so that white is in the middle
const [AGAINST, FOR] = [255, 45]; // hues in degrees
const [LIGHTEST, DARKEST, STRONGEST] = [0.98, 0.56, 0.15]; // lightness of the middle and the ends, chroma of these
const GREY_FROM = 0.5; // brightness of a photo's black: a dark photo would swallow the colours
const SOFT = 32; // cells are squares, what they saw is not
const LONGEST = 640;

/** Draws a map over its picture, on the scale of all maps in `beside`. */
export function draw(heat, picture, canvas, preprocessing, beside) {
  const wide = picture.naturalWidth ?? picture.width;
  const high = picture.naturalHeight ?? picture.height;
  const scale = LONGEST / Math.max(wide, high);
  canvas.width = Math.max(1, Math.round(wide * scale));
  canvas.height = Math.max(1, Math.round(high * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff"; // below what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const area = areaOf(wide, high, preprocessing);
  const across = places(canvas.width, area.left / wide, area.width / wide, heat.size);
  const down = places(canvas.height, area.top / high, area.height / high, heat.size);
  colour(image, density(heat), heat.size, across, down, strongest(beside));
  context.putImageData(image, 0, 0);
}

/** The largest density of some maps: what gets the strongest colour. */
function strongest(heats) {
  return Math.max(...heats.map((heat) => density(heat).reduce((most, value) => Math.max(most, Math.abs(value)), 0))) || 1;
}

/** The scale, from strongest against to strongest for: SHADES times red, green, blue. */
export function colours() {
  const table = new Uint8ClampedArray(SHADES * 3);
  for (let shade = 0; shade < SHADES; shade++) {
    const place = (2 * shade) / (SHADES - 1) - 1;
    const hue = ((place > 0 ? FOR : AGAINST) * Math.PI) / 180;
    const chroma = STRONGEST * Math.abs(place);
    const light = LIGHTEST - (LIGHTEST - DARKEST) * Math.abs(place);
    table.set(rgb(light, chroma * Math.cos(hue), chroma * Math.sin(hue)), shade * 3);
  }
  return table;
}

/** Oklab to sRGB (Ottosson 2020). */
function rgb(light, a, b) {
  const long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
  return linear.map((value) => 255 * (value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055));
}

/** A map as it is drawn: softened, and as what a hundredth of the area would hold. */
function density({ map, size }) {
  const scaled = Float64Array.from(map, (value) => (value * map.length) / 100);
  return softened(softened(scaled, size), size);
}

/** A Gaussian blur down the columns, the border repeated; turned, so that a second one goes along the rows. */
function softened(values, size) {
  const reach = size / SOFT;
  const far = reach < 1 ? 0 : Math.floor(3 * reach);
  const weights = Array.from({ length: 2 * far + 1 }, (_, i) => Math.exp(-0.5 * ((i - far) / Math.max(reach, 1)) ** 2));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  const turned = new Float64Array(values.length);
  for (let y = 0; y < size; y++) {
    for (let i = -far; i <= far; i++) {
      const from = Math.min(size - 1, Math.max(0, y + i)) * size;
      const weight = weights[i + far] / whole;
      for (let x = 0; x < size; x++) turned[x * size + y] += weight * values[from + x];
    }
  }
  return turned;
}

/** For each pixel along an axis, the two places of the map that it lies between and how far; null outside of it. */
function places(pixels, start, share, size) {
  return Array.from({ length: pixels }, (_, pixel) => {
    const at = ((pixel + 0.5) / pixels - start) / share;
    if (at < 0 || at > 1) return null;
    const place = Math.min(size - 1, Math.max(0, at * size - 0.5));
    const first = Math.floor(place);
    return [first, Math.min(size - 1, first + 1), place - first];
  });
}

function colour({ data, width, height }, map, size, across, down, limit) {
  const table = colours();
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      let strength = 0;
      if (across[x] && down[y]) {
        const [left, right, wide] = across[x];
        const [above, below, high] = down[y];
        const along = (row) => map[row * size + left] * (1 - wide) + map[row * size + right] * wide;
        strength = along(above) * (1 - high) + along(below) * high;
      }
      const shade = Math.round(((Math.min(1, Math.max(-1, strength / limit)) + 1) / 2) * (SHADES - 1)) * 3;
      const luma = 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
      const grey = GREY_FROM + ((1 - GREY_FROM) * luma) / 255;
      for (let channel = 0; channel < 3; channel++) data[at + channel] = table[shade + channel] * grey;
    }
  }
}
