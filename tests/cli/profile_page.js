// What a person does with the page of `sinew profile`, done in a browser (browser.py).  Lines "yes ..." or "NO ...".
const lines = [];
const expect = (text, condition) => lines.push((condition ? "yes " : "NO ") + text);
const all = (selector, at = document) => [...at.querySelectorAll(selector)];
const text = selector => document.querySelector(selector).textContent;
const before = all("#graph g.box").length;
expect("boxes are drawn, and edges between them", before > 1 && all("#graph path").length > 0);
expect("boxes hold all the kernels' time", Math.abs(sum([...boxes().values()], b => b.seconds) - data.profile.kernels_s) < 1e-6 * step);
expect("no two boxes stand on one another", new Set(all("#graph g.box").map(g => g.getAttribute("transform"))).size === before);
expect("a point for every kernel that did something", all("#roof circle").length === calls.filter(c => c.busy_seconds > 0 && (c.flop > 0 || c.bytes > 0)).length);
expect("points lie inside the picture", all("#roof circle").every(c => +c.getAttribute("cx") >= 0 && +c.getAttribute("cx") <= 1100 && +c.getAttribute("cy") >= 0 && +c.getAttribute("cy") <= 460));
expect("a row for every call", all("#rows tbody tr").length === calls.length);
expect("the slowest kernel is chosen at first, with its line, its schedule and its code",
  text("#detail").includes(calls[0].name) && all("#detail mark").length === 1 && all("#detail details").length === 3);

const heads = all("#rows th"), name = heads.find(h => h.textContent === "name");
const column = heads.indexOf(name), shown = () => all("#rows tbody tr").map(tr => tr.children[column].textContent);
name.click();
name.click();
expect("a click on a head sorts, a second one the other way", name.getAttribute("aria-sort") === "ascending" && shown().join() === [...shown()].sort((a, b) => a.localeCompare(b)).join());
const last = calls[calls.length - 1].name;
all("#rows tbody tr").find(tr => tr.children[column].textContent === last).click();
expect("a click on a row shows its kernel", text("#detail").includes(last));
all("#roof circle")[0].dispatchEvent(new MouseEvent("click"));
expect("a click on a point shows its kernel", text("#detail").includes(all("#roof circle")[0].dataset.name) && all("#roof circle.chosen").length === 1);

document.getElementById("by").value = "place";
document.getElementById("by").onchange();
expect("rows by line", all("#rows tbody tr").length === new Set(calls.map(c => c.where)).size);
document.getElementById("filter").value = "no such kernel";
document.getElementById("filter").oninput();
expect("the filter filters", all("#rows tbody tr").length === 0);

document.getElementById("fold").click();
const folded = all("#graph g.box");
expect("folded, there are the outermost modules", folded.length < before && folded.every(g => !g.dataset.box.includes(".")));
const open = folded.find(g => boxes().get(g.dataset.box).folded);
open.dispatchEvent(new MouseEvent("click"));
expect("a click on a box lists its kernels", all("#detail tr").length === boxes().get(open.dataset.box).calls.length);
open.dispatchEvent(new MouseEvent("dblclick"));
expect("a double click unfolds", all("#graph g.box").length > folded.length);
return lines;
