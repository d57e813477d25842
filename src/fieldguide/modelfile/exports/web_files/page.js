// The page: photos in, answers out. Names of files and classes are only ever set as text.
import { load } from "./fieldguide.js";

const MOST_RESULTS = 24;
const MOST_OTHERS = 5;
const MOST_MAPS = 5;
const MOST_LETTERS = 80;
const OBEYED = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

const find = (name) => document.querySelector(name);
const results = find("#results");
const video = find("video");
let model = null;
let loaded = null;
let waiting = Promise.resolve();
let stream = null;
let facing = "environment";

start();

async function start() {
  find("#photograph-label").hidden = !matchMedia("(pointer: coarse)").matches;
  find("#camera").hidden = !navigator.mediaDevices?.getUserMedia;
  loaded = load();
  listen(); // photos that are given while the model loads wait for it
  try {
    model = await loaded;
  } catch (error) {
    complain(`The model cannot be loaded. ${sentence(error.message)}`);
    return;
  }
  describe(model.card);
  if (results.childElementCount === 0) {
    say("Ready.");
    warmUp();
  }
  document.documentElement.dataset.ready = "yes";
  await waiting;
  keepOffline();
  if (model.card.exported.gpu) tellProcessor(await model.accelerate());
}

function listen() {
  for (const input of [find("#choose"), find("#photograph")]) {
    input.addEventListener("change", () => addChosen(input));
    addChosen(input); // chosen before this script was there
  }
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) add(files);
    else complain("What was pasted holds no picture; copy a picture, not its address.");
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    find("#drop").classList.add("over");
  });
  addEventListener("dragleave", () => find("#drop").classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    find("#drop").classList.remove("over");
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length > 0) add(files);
    else complain("What was dropped is no file; save the picture first, then drop it.");
  });
  find("#camera").addEventListener("click", () => (stream ? stopCamera() : startCamera()));
  find("#keep").addEventListener("click", keepPicture);
  find("#turn").addEventListener("click", () => {
    facing = facing === "environment" ? "user" : "environment";
    stopCamera();
    startCamera();
  });
  find("#clear").addEventListener("click", clear);
}

function addChosen(input) {
  add([...input.files]);
  input.value = "";
}

/** One photo after the other, each in its own place, the newest first. */
function add(files) {
  if (files.length === 0) return;
  for (const file of files) {
    const place = element("article");
    const picture = element("img");
    picture.alt = "";
    picture.src = URL.createObjectURL(file);
    picture.onerror = () => picture.remove();
    const figure = element("figure", picture, element("figcaption", element("bdi", shown(file.name))));
    const answer = element("div", element("p", "…"));
    place.append(figure, answer);
    results.prepend(place);
    waiting = waiting.then(() => answerTo(file, place, answer));
  }
  while (results.childElementCount > MOST_RESULTS) drop(results.lastElementChild);
  find("#after").hidden = false;
}

async function answerTo(file, place, answer) {
  if (!place.isConnected) return;
  try {
    await loaded;
    const started = performance.now();
    const found = await model.predict(file, hasTags() ? { top: model.classes.length } : {});
    answer.replaceChildren(...parts(found));
    if (model.explains) answer.append(lookButton(file, place, mapped(found)));
    place.classList.toggle("unknown", found.unknown);
    say(`Answered in ${Math.round(performance.now() - started)} ms.`);
  } catch (error) {
    place.classList.add("refused");
    answer.replaceChildren(element("h2", "Cannot be read"), element("p", sentence(error.message)));
  }
}

function parts(found) {
  const { thresholds } = model.card;
  if (found.labels) return tagParts(found, thresholds);
  const likely = ({ label, probability }) => label !== found.label && probability >= 0.01;
  const rest = found.unknown ? found.top.slice(0, 3) : found.top.filter(likely);
  const nodes = [headline(found)];
  if (found.unknown) {
    nodes.push(element("p", "It looks unlike the photos that this model learned from. If it had to choose:"));
  } else {
    nodes.push(track(found.probability), element("p", setSentence(found, thresholds)));
  }
  nodes.push(element("ol", ...rest.map(line)));
  return nodes;
}

/** Chips: the tags given are filled, the others of the set dashed; below, what else is likely. */
function tagParts(found, thresholds) {
  const { labels, set, top, unknown } = found;
  const shares = new Map(top.map(({ label, probability }) => [label, probability]));
  const chip = (kind) => (name) => element(`span.${kind}`, element("bdi", shown(name)), element("small", percent(shares.get(name))));
  const others = set.filter((name) => !labels.includes(name));
  const chips = [...labels.map(chip(unknown ? "may" : "given")), ...others.map(chip("may"))];
  const nodes = unknown || labels.length === 0 ? [headline(found)] : [];
  if (unknown) nodes.push(element("p", "It looks unlike the photos that this model learned from. If it had to have tags:"));
  if (chips.length > 0) nodes.push(element("div.chips", ...chips));
  if (!unknown) nodes.push(element("p", tagSentence(others.length, labels.length, thresholds)));
  const rest = top.filter(({ label, probability }) => !set.includes(label) && probability >= 0.01);
  nodes.push(element("ol", ...rest.slice(0, MOST_OTHERS).map(line)));
  return nodes;
}

function tagSentence(others, given, { coverage }) {
  if (others + given === 0) return "No tag is likely enough to be counted in.";
  const dashed = others > 0 ? "Dashed tags are possible, too. " : "";
  if (coverage === null) return dashed;
  const which = others > 0 ? "All of these together" : "These";
  return `${dashed}${which} hold at least ${percent(coverage)} of a photo's true tags, on average over photos.`;
}

function hasTags() {
  return model.card.task === "multiple";
}

function headline({ unknown, label, labels, probability }) {
  const given = (labels ?? [label]).map((name) => shown(name)).join(", ") || "No tag";
  const title = element("h2", element("bdi", unknown ? "None of these" : given));
  return element("div.headline", title, element("span", unknown || labels ? "" : percent(probability)));
}

function setSentence({ set }, { coverage, set: floor, set_by_class: byClass }) {
  if (floor === null || coverage === null) return "";
  const share = percent(coverage);
  const members = set.map((name) => shown(name)).join(", ");
  const often = `Such sets hold the true class of about ${share} of photos${byClass ? " of each class" : ""}.`;
  return `Prediction set: ${members || "empty, since no class is likely enough"}. ${often}`;
}

function line({ label, probability }) {
  return element("li", element("bdi", shown(label)), track(probability), element("span", percent(probability)));
}

function track(share) {
  const bar = element("b");
  bar.style.width = `${100 * share}%`;
  const whole = element("div.track", bar);
  whole.setAttribute("aria-hidden", "true");
  return whole;
}

/** The labels that have a map: those shown, and at least the second most probable one. */
function mapped({ label, labels, set, top, unknown }) {
  const likely = top.filter(({ probability }, place) => place < (unknown ? 3 : 2) || probability >= 0.01);
  const first = labels ? [...labels, ...set] : [label];
  return [...new Set([...first, ...likely.map((one) => one.label)])].slice(0, MOST_MAPS);
}

/** Shows, and hides again, where the model looked; computed when first asked for. */
function lookButton(file, place, labels) {
  const button = element("button.look", "Where did it look?");
  const wrong = element("p.wrong");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  let section = null;
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    wrong.replaceChildren();
    if (section === null) {
      button.textContent = "Looking …";
      section = await heatSection(file, place, labels).catch((error) => {
        wrong.append(sentence(error.message));
        return null;
      });
    } else {
      section.hidden = !section.hidden;
    }
    const open = section !== null && !section.hidden;
    button.textContent = open ? "Hide where it looked" : "Where did it look?";
    button.setAttribute("aria-expanded", String(open));
    button.removeAttribute("aria-busy");
  });
  return element("div", button, wrong);
}

async function heatSection(file, place, labels) {
  const started = performance.now();
  const picture = place.querySelector("img");
  if (picture === null) throw new Error("The browser does not show this picture, so nothing can be drawn over it.");
  const heats = await model.explain(file, { labels });
  await picture.decode();
  const section = element("section.heat", ...(await heatParts(heats, picture)));
  section.setAttribute("aria-label", "Where it looked");
  place.append(section);
  say(`Looked in ${Math.round(performance.now() - started)} ms.`);
  return section;
}

/** The photo below a map, a button for each label, and how to read it. All maps have one scale. */
async function heatParts(heats, picture) {
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  const told = element("p");
  const choices = heats.map((heat) => {
    const choice = element("button", element("bdi", shown(heat.label)));
    choice.type = "button";
    choice.addEventListener("click", () => show(heat, choice));
    return choice;
  });
  const show = async (heat, chosen) => {
    for (const choice of choices) choice.setAttribute("aria-pressed", String(choice === chosen));
    const name = shown(heat.label);
    told.replaceChildren("Orange places speak for ", element("bdi", name), ", blue ones against it, grey ones say nothing.");
    canvas.setAttribute("aria-label", `The photo, with the places that speak for and against ${name}`);
    await model.overlay(heat, picture, canvas, { beside: heats });
  };
  await show(heats[0], choices[0]);
  const scale = element("div.scale", element("span", "against"), element("i"), element("span", "for"));
  const exact = element("p.soft", "Exact: all places added up, and a number that is the same for every photo, make the score.");
  return [canvas, element("div", element("div.row", ...choices), told, scale, exact)];
}

async function startCamera() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 1280 }, facingMode: facing },
      audio: false,
    });
  } catch (error) {
    const denied = error.name === "NotAllowedError";
    complain(
      denied
        ? "The browser was not allowed to use the camera. Allow it beside the address, and start again."
        : "No camera was found. Plug one in, close other programs that use it, and start again.",
    );
    return;
  }
  video.srcObject = stream;
  await video.play();
  find("#live").hidden = false;
  find("#camera").textContent = "Stop the camera";
  find("#turn").hidden = (await navigator.mediaDevices.enumerateDevices()).filter(isCamera).length < 2;
  watch(stream);
}

function stopCamera() {
  stream?.getTracks().forEach((one) => one.stop());
  stream = null;
  video.srcObject = null;
  find("#live").hidden = true;
  find("#camera").textContent = "Start the camera";
}

/** A frame after the other, each after the answer to the one before. */
async function watch(own) {
  const answer = find(".stage .answer");
  const times = [];
  while (stream === own) {
    await nextFrame();
    if (model === null || stream !== own || video.videoWidth === 0) {
      await pause(30);
      continue;
    }
    try {
      const found = await model.predict(await createImageBitmap(video), { top: 1 });
      const sure = found.unknown || found.labels?.length === 0 ? 0 : found.probability;
      answer.classList.toggle("unknown", found.unknown);
      answer.replaceChildren(headline(found), track(sure));
    } catch (error) {
      answer.replaceChildren(element("p", sentence(error.message)));
    }
    times.push(performance.now());
    if (times.length > 10) times.shift();
    const rate = (1000 * (times.length - 1)) / (times.at(-1) - times[0]);
    find("#speed").textContent = times.length > 2 ? `${rate.toFixed(1)} pictures a second` : "";
    find("#speed").dataset.rate = String(rate);
  }
}

function nextFrame() {
  return new Promise((done) => requestAnimationFrame(done)); // stops in a hidden tab, which spares the battery
}

function keepPicture() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext("2d").drawImage(video, 0, 0);
  canvas.toBlob((blob) => {
    if (blob === null) return;
    add([new File([blob], `camera ${new Date().toLocaleTimeString()}.png`, { type: blob.type })]);
  });
}

function describe(card) {
  const { classes } = card;
  const few = classes.length <= 8;
  const names = classes.slice(0, few ? 8 : 5).map((name) => shown(name)).join(", ");
  const tags = hasTags();
  const any = tags ? "Any" : "One";
  find("#classes").textContent = few ? `${any} of ${names}?` : `${any} of ${classes.length} ${tags ? "tags" : "classes"}: ${names} …`;
  const { accuracy, map: precision } = card.metrics;
  const { coverage, unknown } = card.thresholds;
  const rows = [
    ["Learned from", card.data.images ? `${card.data.images.toLocaleString("en")} photos` : null],
    ["Recipe", card.recipe],
    ["Network", card.backbone && `${card.backbone.name} (${card.backbone.licence})`],
    ["Accuracy", accuracy && `${percent(accuracy.value)} on photos it had not seen (${percent(accuracy.low)} to ${percent(accuracy.high)})`],
    ["Precision", precision && `${precision.value.toFixed(2)} mean average precision on photos it had not seen (${precision.low.toFixed(2)} to ${precision.high.toFixed(2)})`],
    ["Prediction sets", coverage === null || tags ? null : `hold the true class of about ${percent(coverage)} of photos`],
    ["Tags", coverage === null || !tags ? null : `filled and dashed ones hold at least ${percent(coverage)} of a photo's true tags, on average`],
    ["None of these", `said where fewer than ${unknown * 100} % of photos of ${tags ? "its kinds" : "these classes"} look as strange`],
    ["Heat maps", heatSentence(card.heat_maps)],
    ["Limits", (card.limits ?? []).join("; ")],
    ["Computed by", `${card.exported.runtime}, weights of ${card.exported.precision === "int8" ? "8" : "32"} bits, on this device`],
  ];
  const shownRows = rows.filter(([, value]) => value);
  find("#about").replaceChildren(...shownRows.flatMap(([name, value]) => [element("dt", name), element("dd", shown(String(value), 1000))]));
}

/** Which processor answers; on a page that was exported for graphics processors alone. */
function tellProcessor({ processor, reason }) {
  const words = processor === "gpu" ? "this device's graphics processor" : `the processor, since ${reason}`;
  find("#about").append(element("dt", "Answers by"), element("dd", shown(words, 300)));
  document.documentElement.dataset.processor = processor;
}

function heatSentence(how) {
  if (!how) return null;
  return how.exact ? "add up to the score of a class" : `none, since its scores are not added up from places: ${how.reason}`;
}

/** A first answer takes longer, since the browser then compiles what it runs; better before somebody waits. */
function warmUp() {
  waiting = model.predict({ data: new Uint8Array(3), width: 1, height: 1 }).catch(() => {});
}

/** Keeps the page for use without a network; not before it has answered, so that it never waits for that. */
function keepOffline() {
  if (!("serviceWorker" in navigator)) return;
  navigator.serviceWorker
    .register("service-worker.js")
    .then(() => navigator.serviceWorker.ready)
    .then(() => (document.documentElement.dataset.offline = "yes"))
    .catch(() => {}); // a page that is not secure, or a private window: it works as before, with a network
}

function clear() {
  while (results.firstElementChild) drop(results.firstElementChild);
  find("#after").hidden = true;
  say("");
  find("#choose").focus();
}

function drop(place) {
  const picture = place.querySelector("img");
  if (picture) URL.revokeObjectURL(picture.src);
  place.remove();
}

/** An element, such as `div.track`, with text and elements in it. Text is text, whatever it holds. */
function element(kind, ...contents) {
  const [name, style = ""] = kind.split(".");
  const made = document.createElement(name);
  if (style) made.className = style;
  made.append(...contents);
  return made;
}

/** A stranger's name as text that can only be read: characters that would be obeyed are spelled out. */
function shown(text, most = MOST_LETTERS) {
  const spelled = text.replace(OBEYED, (letter) => `\\u{${letter.codePointAt(0).toString(16)}}`);
  return spelled.length > most ? `${spelled.slice(0, most)}…` : spelled;
}

function percent(share) {
  if (share >= 0.995 && share < 1) return "over 99 %";
  if (share > 0 && share < 0.01) return "under 1 %";
  return `${Math.round(100 * share)} %`;
}

function sentence(text) {
  const said = shown(text.charAt(0).toUpperCase() + text.slice(1), 300);
  return /[.!?…]$/.test(said) ? said : `${said}.`;
}

function isCamera({ kind }) {
  return kind === "videoinput";
}

function say(text) {
  const status = find("#status");
  status.textContent = text;
  status.classList.remove("wrong");
}

function complain(text) {
  say(text);
  find("#status").classList.add("wrong");
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}
