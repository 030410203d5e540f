"use strict";
// Embeddings of a report: rows of features as points of a plane, coloured by class, video or time.

const warm = [[70, 60, 170], [45, 115, 175], [35, 160, 130], [150, 195, 70], [240, 190, 40]]; // along time, from dark to bright

function timeColour(share) {
  const at = clamp(share, 0, 1) * (warm.length - 1), i = Math.min(Math.floor(at), warm.length - 2);
  return `rgb(${warm[i].map((v, k) => Math.round(v + (at - i) * (warm[i + 1][k] - v))).join(" ")})`;
}

const latest = () => Math.max(1, ...data.embeddings.flatMap(e => e.second));

// Colours of the points of one plane.
function coloursOf(e, by) {
  if (by === "time") return e.second.map(s => timeColour(s / latest()));
  return by === "video" ? e.video.map(v => colourOf(allVideos().indexOf(e.videos[v]))) : e.class.map(classColour);
}

const allVideos = () => [...new Set(data.embeddings.flatMap(e => e.videos))];

function legendOf(by) {
  if (by === "time") {
    const bar = element("span", {class: "scale"});
    bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(timeColour).join(", ")})`;
    return element("p", {class: "faint"}, "0 s", bar, `${latest().toFixed(0)} s into the recording`);
  }
  if (by === "video") {
    const videos = allVideos(), most = 24;
    return legend([...videos.slice(0, most).map((v, i) => [colourOf(i), v]), ...(videos.length > most ? [["none", `and ${videos.length - most} more`]] : [])]);
  }
  const classes = [...new Set(data.embeddings.flatMap(e => e.class))].sort((a, b) => a - b);
  return legend(classes.map(c => [classColour(c), className(c)]));
}

function plane(e) {
  const drawing = svg("svg", {viewBox: "0 0 400 400", role: "img", "aria-label": `${plural(e.x.length, e.level)} of ${runLabel[e.run]} as points, near ones alike`});
  const size = e.x.length > 1200 ? 1.9 : e.x.length > 400 ? 2.4 : 3.2, wide = Math.max(...e.x), tall = Math.max(...e.y);
  const points = e.x.map((x, i) => svg("circle", {class: "point", cx: (15 + 370 * (x + (10000 - wide) / 2) / 10000).toFixed(1), cy: (385 - 370 * (e.y[i] + (10000 - tall) / 2) / 10000).toFixed(1), r: size}));
  points.forEach((point, i) => {
    point.onpointermove = event => showTip(event, `${e.videos[e.video[i]]}, ${e.second[i].toFixed(2)} s\n${className(e.class[i])}`);
    point.onpointerleave = hideTip;
    point.onclick = () => showMoment(e.videos[e.video[i]], e.second[i]);
  });
  drawing.append(...points);
  const about = `  ${plural(e.x.length, e.level)}${e.x.length < e.rows ? ` of ${e.rows.toLocaleString("en")}` : ""}, ${plural(e.width, "feature")}; divergence ${e.divergence.toFixed(2)}`;
  return {figure: element("figure", {}, element("figcaption", {}, runLabel[e.run], element("span", {class: "faint"}, about)), drawing),
          paint: by => coloursOf(e, by).forEach((c, i) => { points[i].style.fill = c; })};
}

function tellEmbeddings() {
  if (!data.embeddings?.length) return;
  const part = section("embedding", "Embedding", "Features of the encoder by t-SNE: near points are alike, distances between far ones mean nothing. A click on a point shows its moment above, if its recording has a timeline.");
  const labelled = data.embeddings.some(e => e.class.some(c => c >= 0)), planes = data.embeddings.map(plane), key = element("div");
  const paint = by => { planes.forEach(p => p.paint(by)); key.replaceChildren(legendOf(by)); };
  const options = labelled ? ["class", "video", "time"] : ["video", "time"];
  part.append(choice("colour by", options, options[0], paint), key, element("div", {class: "planes"}, ...planes.map(p => p.figure)));
  paint(options[0]);
}
