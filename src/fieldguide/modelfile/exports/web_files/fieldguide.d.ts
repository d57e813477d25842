/** What a model says of one image. */
export interface Answer {
  /** The label, or the tags joined by "|", or "unknown". */
  answer: string;
  /** The most probable class. */
  label: string;
  /** The tags that are given, the most probable first; only of models of tags. */
  labels?: string[];
  /** Of `label`, calibrated, from 0 to 1. */
  probability: number;
  /** Share of held-out images of known classes that look no more familiar, from 0 to 1. */
  typicality: number;
  /** Whether typicality is below the model's threshold: none of its classes. */
  unknown: boolean;
  /** Holds the true class with the coverage that the card states; the most probable first. */
  set: string[];
  /** The most probable classes, descending. */
  top: { label: string; probability: number }[];
}

/** The card of the model, as docs/artifact.md describes it; the fields that a page needs. */
export interface Card {
  spec: number;
  classes: string[];
  preprocessing: {
    size: number;
    mode: "squash" | "crop";
    interpolation: "bicubic" | "bilinear";
    shrink?: "halving" | "none";
  };
  recipe: string;
  backbone: { name: string; licence: string } | null;
  /** One label an image, or any number of tags; where it is missing, one. */
  task?: "single" | "multiple";
  thresholds: { unknown: number; coverage: number | null; set: number | null; set_by_class?: number[]; tags?: number[] };
  metrics: Record<string, unknown>;
  exported: { to: "web"; from: string; precision: "int8" | "float32"; seal: string; runtime: string; gpu?: true };
  limits?: string[];
  /** How heat maps come about (docs/web.md); without it, or where they are not exact, there are none. */
  heat_maps?: { exact: false; reason: string } | { exact: true; [field: string]: unknown };
  [field: string]: unknown;
}

/** What each place of an image adds to the score of a class. */
export interface HeatMap {
  /** The class that is explained. */
  label: string;
  /** Of `label`, calibrated, from 0 to 1. */
  probability: number;
  /** Of `label`: the logarithm of its probability, but for a constant that all classes share; of a tag, its log odds. */
  score: number;
  /** What no place has a part in: the same for every image. */
  bias: number;
  /** Side of the map. */
  size: number;
  /**
   * `size` × `size` numbers, row by row, over the part of the image that the model sees. Above 0 speaks for the class,
   * below 0 against it; all of them and `bias` make `score`, within 0.001.
   */
  map: Float32Array;
}

/** Pixels in memory: RGB or RGBA, 8 bits each, upright. */
export interface Pixels {
  data: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/**
 * A file (in browsers), what a browser can draw, or pixels. An ImageBitmap or a VideoFrame is used up where the
 * model runs in a thread of its own.
 */
export type Source = Blob | ImageBitmap | VideoFrame | ImageData | HTMLImageElement | HTMLVideoElement | Pixels;

/** What a canvas can draw, upright. */
export type Picture = HTMLImageElement | ImageBitmap | HTMLCanvasElement | OffscreenCanvas;

export interface Model {
  readonly card: Card;
  /** Class names in the order of the model. They are data: show them as text, never as markup. */
  readonly classes: string[];
  /** Rejects with `RefusedInput` where the image cannot be used. */
  predict(source: Source, options?: { top?: number }): Promise<Answer>;
  /**
   * Has the graphics processor answer from now on, if it gives the same answers in less time, and says which one
   * answers, and why not the other. Only for folders exported with --gpu. `force`: even if it takes more time.
   */
  accelerate(options?: { force?: boolean }): Promise<{ processor: "gpu" | "cpu"; reason: string }>;
  /** Whether `explain` works: whether the model's scores are added up from places. */
  readonly explains: boolean;
  /**
   * Where the model looked, for some labels, or for the most probable one. Rejects with `RefusedInput` where the image
   * cannot be used, and with an `Error` where there is no map that adds up, or no such label.
   */
  explain(source: Source, options?: { labels?: string[] }): Promise<HeatMap[]>;
  /**
   * Draws a map over its picture, 640 pixels along the longer side: orange for, blue against. The largest value gets the
   * strongest colour; of all maps in `beside`, where several shall have one scale. In browsers only.
   */
  overlay(heat: HeatMap, picture: Picture, canvas: HTMLCanvasElement | OffscreenCanvas, options?: { beside?: HeatMap[] }): Promise<void>;
  /** Ends its thread and frees its memory. */
  close(): Promise<void>;
}

/** One image cannot be used; `code` is one of docs/images.md, `message` a sentence for a person. */
export class RefusedInput extends Error {
  readonly code: string;
  constructor(code: string, message: string);
}

/** Loads the model of an exported folder: by default the one in which fieldguide.js lies. */
export function load(folder?: string | URL, options?: { worker?: boolean }): Promise<Model>;
