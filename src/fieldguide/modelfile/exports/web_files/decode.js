// From the bytes of an image file to rows of pixels, by the browser's own decoders. The first bytes decide what a
// file is, never its name, and its size is looked at before anything is decoded: docs/images.md.
import { RefusedInput } from "./errors.js";
import { Square } from "./resize.js";

const MAX_BYTES = 100_000_000;
const MAX_PIXELS = 64_000_000;
const BAND_PIXELS = 1 << 20;

/** The network's square of whatever a browser can draw, or of pixels in memory. */
export async function squareFrom(source, preprocessing) {
  if (source instanceof Blob) return squareOfFile(source, preprocessing);
  return squareOfBitmap(source, preprocessing);
}

async function squareOfFile(file, preprocessing) {
  if (file.size > MAX_BYTES) {
    throw new RefusedInput("too_large", `The file has ${megabytes(file.size)} MB; at most 100 MB are read.`);
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  const header = headerOf(bytes);
  if (header.width * header.height > MAX_PIXELS) {
    const size = `${header.width} × ${header.height}`;
    throw new RefusedInput("too_many_pixels", `The image has ${size} pixels; at most 64 million are read.`);
  }
  const bitmap = await bitmapOf(file, header);
  try {
    return squareOfBitmap(bitmap, preprocessing);
  } finally {
    bitmap.close();
  }
}

async function bitmapOf(file, header) {
  const blob = new Blob([file], { type: header.type });
  const options = { imageOrientation: "from-image", premultiplyAlpha: "none", colorSpaceConversion: "none" };
  try {
    return await createImageBitmap(blob, options);
  } catch {
    if (header.own) throw new RefusedInput("damaged", "The file cannot be decoded; copy it or save it again.");
    throw new RefusedInput(
      "unsupported_format",
      `This browser cannot read ${header.name} images; save the photo as JPEG or PNG.`,
    );
  }
}

/**
 * Draws an image, a band of rows at a time and never scaled. It lies on white: colours that a canvas keeps
 * multiplied by transparency then come out as Pillow composites them, and nothing is divided again.
 */
function squareOfBitmap(bitmap, preprocessing) {
  const width = bitmap.displayWidth ?? bitmap.width;
  const height = bitmap.displayHeight ?? bitmap.height;
  if (!(width > 0 && height > 0)) throw new RefusedInput("no_pixels", "The image has no pixels.");
  const square = new Square(width, height, preprocessing);
  const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
  const canvas = new OffscreenCanvas(width, rows);
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, rows);
  if (context.getImageData(width - 1, rows - 1, 1, 1).data[0] !== 255) {
    // A canvas that is larger than a browser can have stays empty and says nothing.
    throw new RefusedInput("too_many_pixels", `The image is ${width} pixels wide; this browser cannot draw that.`);
  }
  for (let top = 0; top < height; top += rows) {
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, -top);
    square.add(context.getImageData(0, 0, width, Math.min(rows, height - top)).data, 4);
  }
  return square.pixels();
}

/**
 * What a file says of itself. `own`: a format that every browser reads; others are left to the browser, and
 * their size is not known before.
 */
export function headerOf(bytes) {
  if (bytes.length === 0) throw new RefusedInput("empty", "The file holds no bytes; copy or download it again.");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    if (begins(bytes, [0xff, 0xd8, 0xff])) return jpeg(bytes, view);
    if (begins(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])) return png(bytes, view);
    if (text(bytes, 0, 4) === "GIF8") {
      return header("GIF", "image/gif", view.getUint16(6, true), view.getUint16(8, true));
    }
    if (text(bytes, 0, 4) === "RIFF" && text(bytes, 8, 4) === "WEBP") return webp(bytes, view);
    if (text(bytes, 0, 2) === "BM" && bytes.length > 26) {
      return header("BMP", "image/bmp", Math.abs(view.getInt32(18, true)), Math.abs(view.getInt32(22, true)));
    }
  } catch (error) {
    if (error instanceof RangeError) throw truncated();
    throw error;
  }
  if (text(bytes, 4, 4) === "ftyp") return left(text(bytes, 8, 4).startsWith("avi") ? "AVIF" : "HEIC");
  if (["II*\0", "MM\0*"].includes(text(bytes, 0, 4))) return left("TIFF");
  throw new RefusedInput("not_an_image", "The file is not an image that is read here; choose a JPEG or PNG photo.");
}

function header(name, type, width, height) {
  return { name, type, width, height, own: true };
}

function left(name) {
  const type = { AVIF: "image/avif", HEIC: "image/heic", TIFF: "image/tiff" }[name];
  return { name, type, width: 0, height: 0, own: false };
}

function jpeg(bytes, view) {
  let at = 2;
  let found = null;
  while (at < bytes.length) {
    if (bytes[at] !== 0xff) throw new RefusedInput("damaged", "The JPEG contradicts itself; save it again.");
    const mark = bytes[at + 1];
    if (mark === 0xff) at += 1;
    else if (mark === 0xda) break;
    else if (mark >= 0xc0 && mark <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(mark)) {
      found = { height: view.getUint16(at + 5), width: view.getUint16(at + 7), channels: view.getUint8(at + 9) };
      at += 2 + view.getUint16(at + 2);
    } else at += 2 + view.getUint16(at + 2);
  }
  if (found === null || at >= bytes.length) throw truncated();
  if (found.channels === 4) {
    throw new RefusedInput("unsupported_format", "The JPEG is in CMYK, for printing; save it in RGB colours.");
  }
  for (let end = at; end + 1 < bytes.length; end++) {
    if (bytes[end] === 0xff && bytes[end + 1] === 0xd9) {
      return header("JPEG", "image/jpeg", found.width, found.height);
    }
  }
  throw truncated();
}

function png(bytes, view) {
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (text(bytes, at + 4, 4) === "IEND") return header("PNG", "image/png", width, height);
  }
  throw truncated();
}

function webp(bytes, view) {
  if (view.getUint32(4, true) + 8 > bytes.length) throw truncated();
  const kind = text(bytes, 12, 4);
  const three = (at) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (kind === "VP8X") return header("WebP", "image/webp", three(24) + 1, three(27) + 1);
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return header("WebP", "image/webp", (bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1);
  }
  return header("WebP", "image/webp", view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff);
}

function truncated() {
  return new RefusedInput("truncated", "The end of the file is missing; copy or download it again.");
}

function begins(bytes, mark) {
  return mark.every((value, at) => bytes[at] === value);
}

function text(bytes, at, length) {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function megabytes(size) {
  return Math.ceil(size / 1e6).toLocaleString("en");
}
