"use strict";
(() => {
const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
const data = (selector, root) => JSON.parse(root.querySelector(selector).textContent);

// Saving: the page holds everything already, so a file is made from what is there.
const offer = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const svgOf = picture => new TextDecoder().decode(
  Uint8Array.from(atob(picture.src.split(",")[1]), letter => letter.charCodeAt(0)));
const pngOf = (picture, done) => {
  const canvas = document.createElement("canvas"), scale = 2;
  canvas.width = scale * picture.naturalWidth;
  canvas.height = scale * picture.naturalHeight;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob(done, "image/png");
};
all("[data-save]").forEach(button => button.addEventListener("click", () => {
  const block = button.closest("[data-name]"), name = block.dataset.name, form = button.dataset.save;
  const picture = block.querySelector("img");
  if (form === "csv") offer(new Blob([data(".numbers", block)], {type: "text/csv;charset=utf-8"}), name + ".csv");
  if (form === "svg") offer(new Blob([svgOf(picture)], {type: "image/svg+xml"}), name + ".svg");
  if (form === "png") pngOf(picture, blob => offer(blob, name + ".png"));
}));

// Tables: sort by a column, ask for all rows, filter.
const valueOf = cell => cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
const compare = (one, other) => typeof one === "number" && typeof other === "number"
  ? one - other : String(one).localeCompare(String(other), undefined, {numeric: true});
all(".table").forEach(block => {
  const body = block.querySelector("tbody"), heads = all("th", block), more = block.querySelector(".more");
  const shown = all("tr:not(.later)", body).length;
  let asked = false, words = "";
  const show = () => all("tr", body).forEach((row, place) => {
    row.classList.toggle("later", place >= shown && !asked && !words);
    row.classList.toggle("out", words !== "" && !row.textContent.toLowerCase().includes(words));
  });
  heads.forEach((head, place) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") !== "descending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = all("tr", body).map(row => [valueOf(row.cells[place]), row]);
    keyed.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]));
    body.append(...keyed.map(pair => pair[1]));
    show();
  }));
  if (more) more.addEventListener("click", () => { asked = true; more.hidden = true; show(); });
  const filter = block.querySelector(".filter");
  if (filter) filter.addEventListener("input", () => { words = filter.value.trim().toLowerCase(); show(); });
});

// Heat maps over photos.
all(".heat-switch").forEach(box => box.addEventListener("change", () =>
  box.closest(".gallery").classList.toggle("hot", box.checked)));

// The map: the nearest point shows its photo.
all(".map").forEach(figure => {
  const area = figure.querySelector(".map-area"), svg = area.querySelector("svg"), marks = all("use", svg);
  const {groups, rows} = data(".points", figure);
  const places = marks.map(mark => [Number(mark.getAttribute("x")), Number(mark.getAttribute("y"))]);
  const sheet = figure.querySelector(".sheet"), side = Number(figure.dataset.side);
  const columns = Number(figure.dataset.columns), only = figure.querySelector(".only");
  const box = area.querySelector(".hover"), canvas = box.querySelector("canvas");
  const [title, first, second] = [box.querySelector("strong"), ...all("span", box)];
  let near = -1;
  all("input[type=radio]", figure).forEach(choice => choice.addEventListener("change", () =>
    area.classList.toggle("by-error", choice.value === "error" && choice.checked)));
  only.addEventListener("change", () => marks.forEach((mark, place) =>
    mark.classList.toggle("aside", only.value !== "" && rows[place][0] !== Number(only.value))));
  const leave = () => {
    if (near >= 0) marks[near].classList.remove("near");
    near = -1;
    box.hidden = true;
  };
  const tell = place => {
    const [group, answer, probability, name] = rows[place];
    title.textContent = groups[group];
    first.textContent = (group === answer ? "recognised" : "taken for " + groups[answer]) + ", "
      + Math.round(100 * probability) + " %";
    second.textContent = name;
    const left = side * (place % columns), top = side * Math.floor(place / columns);
    canvas.getContext("2d").drawImage(sheet, left, top, side, side, 0, 0, 128, 128);
  };
  const move = event => {
    const edge = svg.getBoundingClientRect(), scale = 1000 / edge.width;
    const x = (event.clientX - edge.left) * scale, y = (event.clientY - edge.top) * scale;
    let best = 30 * 30, found = -1;
    places.forEach((place, number) => {
      const apart = (place[0] - x) ** 2 + (place[1] - y) ** 2;
      if (apart < best && !marks[number].classList.contains("aside")) { best = apart; found = number; }
    });
    if (found < 0) return leave();
    if (found !== near) {
      leave();
      near = found;
      marks[near].classList.add("near");
      tell(near);
      box.hidden = false;
    }
    const pointX = places[near][0] / scale, pointY = places[near][1] / scale;
    box.style.left = Math.max(0, Math.min(pointX + 14, edge.width - 152)) + "px";
    box.style.top = Math.max(0, Math.min(pointY - 60, edge.height - box.offsetHeight - 4)) + "px";
  };
  area.addEventListener("pointermove", move);
  area.addEventListener("pointerdown", move);
  area.addEventListener("pointerleave", leave);
});

// Which section is being read.
const links = new Map(all("nav a").map(link => [link.hash.slice(1), link]));
const watch = new IntersectionObserver(entries => entries.forEach(entry => {
  if (!entry.isIntersecting) return;
  links.forEach(link => link.classList.remove("here"));
  links.get(entry.target.id).classList.add("here");
}), {rootMargin: "-15% 0px -75% 0px"});
all("main section").forEach(section => watch.observe(section));
document.documentElement.dataset.ready = "yes";
})();
