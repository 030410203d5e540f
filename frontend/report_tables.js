"use strict";
// Tables of a report: the runs, results, settings, and which classes frames are taken for.

// What a run was set to, by the key of recipe.txt; the first part that has it.
const setting = (run, key, part) => run.settings?.find(s => s[1] === key && (!part || s[0] === part))?.[2];

// "sinew finetune tag.json --mode full ..." of a recipe's first line.
const trainedBy = run => run.again?.replace(/^.*?: (sinew )|^.*?Again: /, "$1") ?? "";

function tellRuns() {
  const kinds = {pretrain: "pretraining", finetune: "finetuning", model: "model", record: "result"};
  const columns = [
    {name: "run", value: r => runLabel[data.runs.indexOf(r)]},
    {name: "is", value: r => kinds[r.kind]},
    {name: "recipe", value: r => r.again?.split(" ")[0] ?? ""},
    {name: "seed", value: r => setting(r, "seed") ?? ""},
    {name: "steps", value: r => r.steps, show: r => r.steps?.toLocaleString("en") ?? ""},
    {name: "epochs", value: r => r.epochs, show: r => r.epochs ?? ""},
    {name: "clips", value: r => +setting(r, "clips", "data") || undefined, show: r => setting(r, "clips", "data") ?? "", hint: "of the data set, in an epoch"},
    {name: "time", value: r => r.seconds, show: r => r.seconds === undefined ? "" : duration(r.seconds), hint: "of training"},
    {name: "steps/s", value: r => r.steps / r.seconds, show: r => r.seconds ? (r.steps / r.seconds).toFixed(2) : ""},
    {name: "parameters", value: r => r.model?.parameters, show: r => r.model?.parameters.toLocaleString("en") ?? ""},
    {name: "classes", value: r => r.model?.classes.length, show: r => r.model?.classes.length ?? ""},
  ].filter(c => data.runs.some(r => c.show ? c.show(r) !== "" : c.value(r)));
  const part = section("runs", "Runs");
  part.append(scrolling(sortable(columns, data.runs).table));
  for (const r of data.runs.filter(r => r.given))
    part.append(element("p", {class: "faint"}, `${r.name}: ${Object.entries(r.given).filter(([, v]) => v !== null).map(([k, v]) => `${k} ${v}`).join(", ")}.`));
  for (const r of data.runs.filter(r => r.model && r.kind === "model"))
    part.append(element("p", {class: "faint"}, `${r.name}: ${r.path}, layout ${r.model.layout} at ${r.model.fps} Hz, trained on windows of ${r.model.window} frames; tells apart ${r.model.classes.join(", ")}.`));
  for (const [i, r] of data.runs.entries())
    if (r.kind === "finetune" && !r.model) part.append(element("p", {class: "faint"}, `${runLabel[i]} has no model yet: it is in training, or was killed before its end.`));
  if (!data.set) part.append(element("p", {class: "note"}, "Timelines, moving skeletons, embeddings, and the evaluation of models with its confusion of classes are not on this page: they need a data set, --data SET."));
}

// Cells hold "83.3" or "83.3 ± 0.4".  High is good: of several rows the highest value of a column is set off, by class every value is shaded.
function resultTable(t) {
  const number = text => text === "-" ? null : parseFloat(text), counts = ["truths", "found"];
  const columns = [{name: t.corner === "class" ? "class" : "", value: r => r.name},
                   ...t.columns.map((name, k) => ({name, value: r => number(r.cells[k]) ?? -1, show: r => r.cells[k] === "-" ? "–" : r.cells[k]}))];
  const {table, row} = sortable(columns, t.rows);
  table.prepend(element("caption", {}, t.title));
  t.columns.forEach((name, k) => {
    if (counts.includes(name)) return;
    const most = Math.max(...t.rows.map(r => number(r.cells[k]) ?? -1));
    for (const r of t.rows) {
      const cell = row.get(r).cells[k + 1], value = number(r.cells[k]);
      if (t.corner === "class") cell.style.background = value ? `rgb(var(--heat) / ${(0.3 * value / 100).toFixed(3)})` : "";
      else if (t.rows.length > 1 && value === most) cell.classList.add("best");
    }
  });
  return scrolling(table);
}

function tellResults() {
  if (!data.tables.length) return;
  const part = section("results", "Results", `Shares are in percent; mAP@x is the mean over classes of the average precision of segments at temporal overlap x, mAP alone the mean over the overlaps that its protocol averages. ± is the deviation over results of one name.${data.set && data.runs.some(r => r.model) ? ` Models were evaluated on split ${data.set.val} of ${data.set.path}.` : ""}`);
  const summaries = data.tables.filter(t => t.corner !== "class"), classes = data.tables.filter(t => t.corner === "class");
  part.append(...summaries.map(resultTable));
  if (classes.length) part.append(element("h3", {}, "By class"), ...classes.map(resultTable));
}

// The settings of all runs side by side; rows that differ are set off.
function tellSettings() {
  const runs = data.runs.filter(r => r.settings);
  if (!runs.length) return;
  const part = section("settings", "Settings", "recipe.txt of each run: the recipe's parameters, how it was trained, and on which data.");
  const keys = [];
  for (const r of runs) for (const [place, key] of r.settings) if (!keys.some(k => k[0] === place && k[1] === key)) keys.push([place, key]);
  const body = element("tbody"), heads = {run: "Run", recipe: "Parameters of the recipe", training: "Training", data: "Data"};
  for (const place of Object.keys(heads)) {
    const own = keys.filter(k => k[0] === place);
    if (own.length) body.append(element("tr", {class: "part"}, element("th", {colspan: runs.length + 1, scope: "rowgroup"}, heads[place])));
    for (const [, key] of own) {
      const values = runs.map(r => setting(r, key, place) ?? "–"), differs = values.some(v => v !== values[0]);
      body.append(element("tr", differs ? {class: "differs"} : {class: "same"}, element("th", {scope: "row"}, key), ...values.map(v => element("td", {class: "wide"}, tidy(v)))));
    }
  }
  const head = element("thead", {}, element("tr", {}, element("th", {}, ""), ...runs.map(r => element("th", {scope: "col"}, runLabel[data.runs.indexOf(r)]))));
  if (runs.length > 1)
    part.append(choice("show", ["all", "what differs"], "all", v => { for (const tr of body.querySelectorAll("tr.same")) tr.hidden = v !== "all"; }));
  part.append(scrolling(element("table", {}, head, body)));
  for (const r of runs.filter(trainedBy)) part.append(element("p", {}, element("span", {class: "faint"}, `${runLabel[data.runs.indexOf(r)]}: `), element("code", {}, trainedBy(r))));
}

// 0.10000000000000001 is how a double prints that was written 0.1.
const tidy = text => /^-?\d+\.\d{12,}(e-?\d+)?$/.test(text) ? String(+(+text).toPrecision(12)) : text;

// Matrices of one name and the same classes are one: repetitions.
function sumConfusion() {
  const sums = [];
  for (const {name, of: {classes, taken}} of data.confusion) {
    const same = sums.find(s => s.name === name && s.classes.join("\n") === classes.join("\n"));
    if (same) same.taken.forEach((row, i) => row.forEach((_, k) => { row[k] += taken[i][k]; })), same.results++;
    else sums.push({name, classes, taken: taken.map(row => [...row]), results: 1});
  }
  return sums;
}

function confusionTable(c) {
  const dense = c.classes.length > 24, table = element("table", {class: dense ? "confusion dense" : "confusion"}), body = element("tbody");
  table.append(element("caption", {}, `${c.name}${c.results > 1 ? `, ${c.results} results together` : ""}`));
  table.append(element("thead", {}, element("tr", {}, element("th"), ...c.classes.map(n => element("th", {scope: "col"}, element("span", {}, n))))));
  c.taken.forEach((row, i) => {
    const all = row.reduce((a, b) => a + b, 0);
    const cells = row.map((n, k) => {
      const share = all ? n / all : 0;
      const told = `${n} of ${all} frames of ${c.classes[i]} taken for ${c.classes[k]}`;
      const cell = element("td", dense ? {title: told, "aria-label": told} : {title: told}, dense || !n ? "" : (100 * share).toFixed(share < 0.095 ? 1 : 0));
      cell.style.background = n ? `rgb(var(--heat) / ${(0.06 + 0.94 * share).toFixed(3)})` : "var(--shade)";
      if (share > 0.5) cell.style.color = "var(--on-heat)";
      if (i === k) cell.classList.add("same");
      return cell;
    });
    body.append(element("tr", {}, element("th", {scope: "row", title: plural(all, "frame")}, c.classes[i]), ...cells));
  });
  table.append(body);
  return scrolling(table);
}

function tellConfusion() {
  const sums = sumConfusion();
  if (!sums.length) return;
  section("confusion", "Confusion of classes", "Of the frames of a row's class, the percentage taken for the column's: the class with the highest score.").append(...sums.map(confusionTable));
}
