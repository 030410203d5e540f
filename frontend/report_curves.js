"use strict";
// Curves of a report: every column of the logs, runs with the same columns together.

const frame = {width: 380, height: 190, left: 46, right: 8, top: 8, bottom: 24};

// A running mean over about a fortieth of the points.
function smooth(values) {
  const reach = Math.floor(values.length / 80);
  return values.map((_, i) => {
    const part = values.slice(Math.max(0, i - reach), i + reach + 1);
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}

const path = (xs, ys) => xs.map((x, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${ys[i].toFixed(1)}`).join("");

// The range of the means, not of the extremes behind them; what never changes is shown with the zero.
function rangeOf(series) {
  const all = series.flatMap(s => s.values), low = Math.min(...all), high = Math.max(...all), room = (high - low) * 0.05;
  if (low === high) return [Math.min(0, low * 1.3), Math.max(0, high * 1.3) || 1];
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

// Numbers along both axes.
function axes(g, x, y, xs, ys) {
  for (const v of ticks(...ys, 4)) {
    g.append(svg("line", {class: "grid", x1: frame.left, x2: frame.width - frame.right, y1: y(v), y2: y(v)}));
    g.append(svg("text", {class: "faint", x: frame.left - 6, y: y(v) + 4, "text-anchor": "end"}, short(v)));
  }
  for (const v of ticks(...xs, 5)) g.append(svg("text", {class: "faint", x: x(v), y: frame.height - 6, "text-anchor": "middle"}, v >= 1e4 ? `${short(v / 1000)}k` : v));
}

function drawSeries(g, s, x, y) {
  const xs = s.at.map(x), rough = s.values.length > 80;
  if (s.low) g.append(svg("path", {class: "band", fill: s.colour, d: `${path(xs, s.high.map(y))}${path([...xs].reverse(), [...s.low].reverse().map(y)).replace("M", "L")}Z`}));
  if (rough) g.append(svg("path", {class: "raw", stroke: s.colour, d: path(xs, s.values.map(y))}));
  g.append(svg("path", {class: "line", stroke: s.colour, d: path(xs, (rough ? smooth(s.values) : s.values).map(y))}));
  if (xs.length === 1) g.append(svg("circle", {cx: xs[0], cy: y(s.values[0]), r: 3, fill: s.colour}));
}

// The values at the pointer.
function follow(drawing, along, series, xs) {
  const line = svg("line", {class: "grid", y1: frame.top, y2: frame.height - frame.bottom, visibility: "hidden"});
  drawing.append(line);
  drawing.onpointermove = event => {
    const box = drawing.getBoundingClientRect(), px = (event.clientX - box.left) / box.width * frame.width;
    const at = xs[0] + (px - frame.left) / (frame.width - frame.left - frame.right) * (xs[1] - xs[0]);
    const nearest = s => s.at.reduce((best, v, i) => Math.abs(v - at) < Math.abs(s.at[best] - at) ? i : best, 0);
    for (const [key, value] of [["x1", px], ["x2", px], ["visibility", "visible"]]) line.setAttribute(key, value);
    showTip(event, [`${along} ${Math.round(series[0].at[nearest(series[0])])}`, ...series.map(s => `${s.name}: ${+s.values[nearest(s)].toPrecision(4)}`)].join("\n"));
  };
  drawing.onpointerleave = () => { line.setAttribute("visibility", "hidden"); hideTip(); };
}

let clips = 0;
function chart(name, along, series) {
  const xs = [Math.min(...series.map(s => s.at[0])), Math.max(...series.map(s => s.at.at(-1)))], ys = rangeOf(series);
  const x = v => frame.left + (xs[1] > xs[0] ? (v - xs[0]) / (xs[1] - xs[0]) : 0.5) * (frame.width - frame.left - frame.right);
  const y = v => frame.height - frame.bottom - (v - ys[0]) / (ys[1] - ys[0]) * (frame.height - frame.top - frame.bottom);
  const ends = series.map(s => `${s.name} from ${short(s.values[0])} to ${short(s.values.at(-1))}`).join("; ");
  const clip = `clip${clips++}`, lines = svg("g", {"clip-path": `url(#${clip})`});
  const drawing = svg("svg", {viewBox: `0 0 ${frame.width} ${frame.height}`, role: "img", "aria-label": `${name} along ${along}: ${ends}`});
  drawing.append(svg("clipPath", {id: clip}, svg("rect", {x: frame.left, y: 0, width: frame.width - frame.left - frame.right + 4, height: frame.height - frame.bottom})));
  axes(drawing, x, y, xs, ys);
  for (const s of series) drawSeries(lines, s, x, y);
  drawing.append(lines);
  follow(drawing, along, series, xs);
  const last = series.length === 1 ? `  ${short(series[0].values[0])} → ${short(series[0].values.at(-1))}` : "";
  return element("figure", {}, element("figcaption", {}, name, element("span", {class: "faint"}, last)), drawing);
}

// Runs whose tables have the same columns, in the order of the page.
function groupsOf(key) {
  const groups = new Map();
  data.runs.forEach((r, i) => {
    if (!r[key]) return;
    const columns = r[key].columns.map(c => c.name).join(", ");
    groups.set(columns, [...(groups.get(columns) ?? []), i]);
  });
  return [...groups.values()];
}

function tellGroup(part, key, members, title) {
  const first = data.runs[members[0]][key], longest = Math.max(...members.map(i => data.runs[i][key].rows)), points = Math.max(...members.map(i => data.runs[i][key].at.length));
  part.append(element("h3", {}, title));
  if (longest > points) part.append(element("p", {class: "faint"}, `Points are means over up to ${plural(Math.ceil(longest / points), "step")}, the shade is their range; the strong line is a running mean.`));
  part.append(legend(members.map(i => [colourOf(members.indexOf(i)), runLabel[i]])));
  part.append(element("div", {class: "charts"}, ...first.columns.map((column, c) => chart(column.name, first.along, members.map((i, k) => {
    const own = data.runs[i][key], {mean, low, high} = own.columns[c];
    return {name: runLabel[i], colour: colourOf(k), at: own.at, values: mean, low, high};
  })))));
}

function tellCurves() {
  const logs = groupsOf("log"), validations = groupsOf("validation");
  if (!logs.length && !validations.length) return;
  const part = section("curves", "Training");
  for (const members of validations) tellGroup(part, "validation", members, "On sequences that are not learnt from, by epoch");
  for (const members of logs) tellGroup(part, "log", members, data.runs[members[0]].kind === "pretrain" ? "Pretraining, by step" : "Finetuning, by step");
}
