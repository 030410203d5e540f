"use strict";
// What the parts of a report share: names, colours, numbers, sections, a tip at the pointer.

// Runs of one name are told apart by their folders, those by their paths.
const runLabel = (() => {
  const folder = r => `${r.name} (${r.path.split("/").pop()})`, alone = (r, text) => data.runs.filter(o => text(o) === text(r)).length === 1;
  return data.runs.map(r => alone(r, o => o.name) ? r.name : alone(r, folder) ? folder(r) : `${r.name} (${r.path})`);
})();

// Eight colours that people with colour blindness can tell apart, on a bright and on a dark screen (after Okabe and Ito), eight more, then hues far apart.
const palette = ["#0a7cc0", "#d9641a", "#0aa37a", "#c9739f", "#e0a010", "#56b4e9", "#9a6a38", "#7a6fd0", "#7fb23a", "#c2384a", "#3fb5b0", "#a64fb5", "#b8a85a", "#e58f85", "#4c62c4", "#5f8a5a"];
const colourOf = k => k < palette.length ? palette[k] : `hsl(${(k * 137.5) % 360} ${40 + k % 3 * 15}% ${45 + k % 2 * 12}%)`;
const background = (data.classes ?? []).length - 1;
const classColour = k => k < 0 ? "var(--line)" : k === background ? "#8b949c" : colourOf(k);
const className = k => k < 0 ? "no class" : data.classes[k];

// White where its contrast with a colour is at least 4.5 (WCAG 2), else black.
const mixer = document.createElement("canvas").getContext("2d");
function inkOn(colour) {
  mixer.fillStyle = colour; // which reads back as #rrggbb
  const [r, g, b] = [1, 3, 5].map(i => parseInt(mixer.fillStyle.slice(i, i + 2), 16) / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05) >= 4.5 ? "#ffffff" : "#000000";
}

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);
const seconds = s => `${s.toFixed(2)} s`;
const percent = x => x === null || x === undefined ? "–" : `${(100 * x).toFixed(1)} %`;
const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

// As many digits as the size of a number deserves.
function short(x) {
  if (x === 0) return "0";
  const size = Math.abs(x);
  return size >= 1e5 || size < 1e-3 ? x.toExponential(1).replace("e+", "e") : String(+x.toPrecision(3));
}

function duration(s) {
  if (s < 90) return `${s.toFixed(1)} s`;
  return s < 5400 ? `${(s / 60).toFixed(1)} min` : `${(s / 3600).toFixed(2)} h`;
}

// Values a round step apart, `wanted` of them or somewhat more or less.
function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1, unit = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].find(k => k * unit >= rough * 0.999) * unit, list = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) list.push(+(k * step).toPrecision(12));
  return list;
}

// Base64 to the bytes it stands for.
const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

// A part of the page, with its entry in the contents.
function section(id, title, about) {
  const part = element("section", {id, "aria-labelledby": `${id}-head`}, element("h2", {id: `${id}-head`}, title));
  if (about) part.append(element("p", {class: "faint"}, about));
  document.getElementById("main").append(part);
  document.getElementById("contents").append(element("a", {href: `#${id}`}, title));
  return part;
}

const scrolling = child => element("div", {class: "scroll"}, child);

// Entries [colour, text].
function legend(entries) {
  return element("ul", {class: "legend"}, ...entries.map(([colour, text]) => {
    const mark = element("i");
    mark.style.background = colour;
    return element("li", {}, mark, text);
  }));
}

// Buttons of which one is pressed; `choose` is called with its value.
function choice(name, options, chosen, choose) {
  const group = element("span", {class: "switch", role: "group", "aria-label": name}, element("span", {class: "faint"}, name));
  const press = value => { for (const b of group.querySelectorAll("button")) b.setAttribute("aria-pressed", b.value === value); };
  for (const value of options) {
    const button = element("button", {type: "button", value, "aria-pressed": value === chosen}, value);
    button.onclick = () => { press(value); choose(value); };
    group.append(button);
  }
  return group;
}

// A tip at the pointer.
const tip = element("div", {class: "tip", hidden: ""});
document.body.append(tip);
function showTip(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  tip.style.left = `${clamp(event.clientX + 14, 0, innerWidth - tip.offsetWidth - 6)}px`;
  tip.style.top = `${clamp(event.clientY + 14, 0, innerHeight - tip.offsetHeight - 6)}px`;
}
const hideTip = () => { tip.hidden = true; };
