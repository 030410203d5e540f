"use strict";
// What the scripts of pages share: the data, elements, tables that sort.

const data = JSON.parse(document.getElementById("data").textContent);

// An element with attributes and children; a child that is not an element becomes text, so no data is ever taken for HTML.
function element(name, attributes = {}, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// The same for a drawing: svg("circle", {cx: 1, cy: 2, r: 3}).
function svg(name, attributes = {}, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
}

// A table of `rows` that sorts by a click on a column's head.  A column is {name, value: row => number or string, show: row => what to print (else the
// value), hint}.  Returns {table, row: Map from a row to its <tr>}.
function sortable(columns, rows) {
  const line = new Map(), body = element("tbody"), heads = element("tr");
  const isNumber = c => rows.some(r => typeof c.value(r) === "number");
  for (const r of rows) {
    const tr = element("tr");
    for (const c of columns) tr.append(element("td", isNumber(c) ? {class: "number"} : {}, c.show ? c.show(r) : String(c.value(r) ?? "")));
    line.set(r, tr);
    body.append(tr);
  }
  for (const c of columns) {
    const head = element("th", {scope: "col", class: isNumber(c) ? "sortable number" : "sortable", title: c.hint ?? ""}, c.name);
    head.onclick = () => {
      const up = head.getAttribute("aria-sort") === "descending", sign = up ? 1 : -1;
      const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : String(a ?? "").localeCompare(String(b ?? ""));
      for (const h of heads.children) h.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      body.append(...[...rows].sort((a, b) => sign * order(c.value(a), c.value(b))).map(r => line.get(r)));
    };
    head.tabIndex = 0;
    head.onkeydown = event => { if (event.key === "Enter") head.click(); };
    heads.append(head);
  }
  return {table: element("table", {}, element("thead", {}, heads), body), row: line};
}
