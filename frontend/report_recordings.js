"use strict";
// Recordings of a report: what is true, what runs found, the scores of every class, and the skeleton at the cursor.

// ---- motion

// Poses of a recording as floats [persons][poses][joints][3] in metres, in axes of the screen: right, up, towards the viewer.  Zeros are nobody.
function readMotion(m) {
  const raw = new Int16Array(bytes(m.x).buffer), {right, up, sign} = data.view, depth = 3 - right - up, x = new Float32Array(raw.length);
  const towards = sign * ((up - right + 3) % 3 === 1 ? 1 : -1);
  for (let i = 0; i < raw.length; i += 3) {
    x[i] = sign * raw[i + right] * m.unit;
    x[i + 1] = raw[i + up] * m.unit;
    x[i + 2] = towards * raw[i + depth] * m.unit;
  }
  const {parent, side} = data.bodies[m.body], size = m.joints * 3, leaf = parent.map((_, j) => side[j] === 7 && !parent.includes(j));
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < x.length; i += 3)
    for (let k = 0; k < 3 && (x[i] || x[i + 1] || x[i + 2]); k++) low[k] = Math.min(low[k], x[i + k]), high[k] = Math.max(high[k], x[i + k]);
  if (low[0] > high[0]) low.fill(0), high.fill(0);
  const head = leaf.reduce((best, is, j) => is && (best < 0 || x[j * 3 + 1] > x[best * 3 + 1]) ? j : best, -1);
  return {...m, x, parent, side, size, head, low: low[1], high: high[1], across: (low[0] + high[0]) / 2, along: (low[2] + high[2]) / 2,
          reach: Math.max(0.3, Math.hypot(high[0] - low[0], high[2] - low[2]) / 2)};
}

// The pose of a person at a time, between the two that are stored; null while nobody is there, which is zeros.
function poseAt(m, person, second) {
  const at = clamp(second * m.rate, 0, m.poses - 1), i = Math.floor(at), next = Math.min(i + 1, m.poses - 1);
  const a = m.x.subarray((person * m.poses + i) * m.size, (person * m.poses + i + 1) * m.size);
  const b = m.x.subarray((person * m.poses + next) * m.size, (person * m.poses + next + 1) * m.size);
  if (a.every(v => v === 0)) return null;
  return b.every(v => v === 0) ? a : a.map((v, k) => v + (at - i) * (b[k] - v));
}

const limbColour = side => side === 0 ? palette[0] : side === 1 ? palette[1] : null;

// The pose where a segment begins, as a small drawing seen from the front.
function smallPose(m, second) {
  const pose = poseAt(m, 0, second), scale = 62 / Math.max(m.high - m.low, 0.5), g = svg("svg", {viewBox: "-30 0 60 70", "aria-hidden": "true"});
  if (!pose) return g;
  const x = j => scale * (pose[j * 3] - pose[0]), y = j => 66 - scale * (pose[j * 3 + 1] - m.low);
  m.parent.forEach((p, j) => {
    if (p >= 0) g.append(svg("line", {x1: x(j), y1: y(j), x2: x(p), y2: y(p), stroke: limbColour(m.side[j]) ?? "currentColor", "stroke-width": 1.6, "stroke-linecap": "round"}));
  });
  if (m.head >= 0) g.append(svg("circle", {cx: x(m.head), cy: y(m.head), r: scale * 0.09, fill: "currentColor"}));
  return g;
}

// ---- the skeleton

class Stage {
  constructor(motion, name) {
    this.motion = motion;
    this.turn = 0.5; // radians about the upright axis
    this.second = 0;
    this.canvas = element("canvas", {role: "img", "aria-label": `Skeleton of ${name}; drag to turn it`, title: "drag to turn, double click for the front"});
    this.canvas.onpointerdown = e => { this.grip = {x: e.clientX, turn: this.turn}; this.canvas.setPointerCapture(e.pointerId); };
    this.canvas.onpointermove = e => { if (this.grip) this.turn = this.grip.turn + (e.clientX - this.grip.x) / 90, this.draw(); };
    this.canvas.onpointerup = this.canvas.onpointercancel = () => { this.grip = null; };
    this.canvas.ondblclick = () => { this.turn = 0; this.draw(); };
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  // Where a point falls on the canvas: turned about the middle of the motion, and looked at from a little above.
  place(x, y, z) {
    x -= this.motion.across, z -= this.motion.along;
    const c = Math.cos(this.turn), s = Math.sin(this.turn), near = z * c - x * s;
    return [this.middle + this.scale * (x * c + z * s), this.floor - this.scale * ((y - this.motion.low) * 0.985 - near * 0.17)];
  }

  draw() {
    const {canvas, motion: m} = this, dpr = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    canvas.width = width * dpr, canvas.height = height * dpr;
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    pen.scale(dpr, dpr);
    this.scale = Math.min((height - 52) / (m.high - m.low + 0.15), (width - 20) / (2 * m.reach));
    this.middle = width / 2;
    this.floor = height - 30;
    this.ground(pen, style.getPropertyValue("--line"));
    for (let person = 0; person < m.persons; person++) {
      const pose = poseAt(m, person, this.second);
      if (pose) this.figure(pen, pose, style.getPropertyValue("--text"));
    }
  }

  // Two circles on the floor, half a metre apart, and a mark towards the front.
  ground(pen, colour) {
    const {low, across, along} = this.motion;
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    for (const r of [0.35, 0.7]) {
      pen.beginPath();
      for (let k = 0; k <= 48; k++) pen.lineTo(...this.place(across + r * Math.cos(k * Math.PI / 24), low, along + r * Math.sin(k * Math.PI / 24)));
      pen.stroke();
    }
    pen.beginPath();
    pen.moveTo(...this.place(across, low, along + 0.35));
    pen.lineTo(...this.place(across, low, along + 0.7));
    pen.stroke();
  }

  figure(pen, pose, colour) {
    const {parent, side, head} = this.motion, point = j => this.place(pose[j * 3], pose[j * 3 + 1], pose[j * 3 + 2]);
    pen.lineCap = "round";
    pen.lineWidth = 3.4;
    parent.forEach((p, j) => {
      if (p < 0) return;
      pen.strokeStyle = limbColour(side[j]) ?? colour;
      pen.beginPath();
      pen.moveTo(...point(j));
      pen.lineTo(...point(p));
      pen.stroke();
    });
    if (head < 0) return;
    pen.fillStyle = colour;
    pen.beginPath();
    pen.arc(...point(head), this.scale * 0.09, 0, 2 * Math.PI);
    pen.fill();
  }
}

// ---- a recording

// The area under bytes, a unit apart and upside down; points inside a level stretch are left out.
function outline(values) {
  let d = "M0 255";
  values.forEach((v, i) => { if (v !== values[i - 1] || v !== values[i + 1]) d += `L${i + 0.5} ${255 - v}`; });
  return `${d}L${values.length} ${255 - values[values.length - 1]}L${values.length} 255Z`;
}

const shown = []; // in the order of the page

class Recording {
  constructor(r) {
    this.r = r;
    this.length = r.frames / r.fps;
    this.second = 0;
    this.speed = 1;
    this.motion = readMotion(r.motion);
    this.stage = new Stage(this.motion, r.id);
    this.found = r.found.map(f => ({...f, scores: bytes(f.scores)}));
    this.lanes = []; // of scores: {found, column, value: element that shows it}
    this.node = element("article", {class: "recording", id: `recording-${shown.length}`}, this.head(), this.side(), this.timeline());
    this.seek(0);
  }

  head() {
    const {r} = this, right = r.found.map(f => `${runLabel[f.run]} ${percent(f.right)}`).join(", ");
    return element("h3", {}, r.id, element("span", {class: "faint"}, `   ${r.source}, ${r.split}, ${this.length.toFixed(1)} s at ${+r.fps.toPrecision(4)} Hz${right ? `; frames as labelled: ${right}` : ""}`));
  }

  side() {
    this.button = element("button", {type: "button", "aria-label": `Play ${this.r.id}`}, "Play");
    this.button.onclick = () => this.play(!this.playing);
    this.clock = element("span", {class: "clock"});
    const speed = element("select", {"aria-label": "Speed"}, ...[0.25, 0.5, 1, 2, 4].map(v => element("option", v === 1 ? {value: v, selected: ""} : {value: v}, `${v}×`)));
    speed.onchange = () => { this.speed = +speed.value; };
    this.now = element("dl", {class: "now"});
    return element("div", {class: "stage"}, this.stage.canvas, element("div", {class: "controls"}, this.button, speed, this.clock), this.now);
  }

  // ---- the timeline: rows of a label, a track and a value

  row(label, track, value = "", attributes = {}) {
    const cells = [element("div", {class: "label", title: label, ...attributes}, label), track, element("div", {class: "value"}, value)];
    this.grid.append(...cells);
    return cells;
  }

  timeline() {
    const {r} = this, marked = [r.truth, r.found[0]?.segments].find(s => s?.length) ?? Array.from({length: 10}, (_, i) => [i / 10 * r.frames, (i + 1) / 10 * r.frames]);
    this.grid = element("div", {class: "timeline"});
    this.row("", this.poses(marked));
    if (r.truth.length || r.found.length) this.row("true", this.bars(r.truth, "true"), "", {class: "label run"});
    for (const f of this.found) this.row(runLabel[f.run], this.bars(f.segments, runLabel[f.run]), `${Math.round(100 * f.right)} %`, {class: "label run"});
    for (const f of this.found) this.scores(f);
    this.row("", this.axis());
    this.cursor = element("div", {class: "over", role: "slider", tabindex: "0", "aria-label": `Time in ${r.id}`, "aria-valuemin": "0", "aria-valuemax": this.length.toFixed(2)},
                          element("div", {class: "cursor"}));
    this.grid.append(this.cursor);
    this.scrub();
    return this.grid;
  }

  place(node, start, end) {
    node.style.left = `${100 * start / this.r.frames}%`;
    if (end !== undefined) node.style.width = `${100 * (end - start) / this.r.frames}%`;
    return node;
  }

  // Poses where segments begin, those that have room; without segments, now and then.
  poses(segments) {
    const track = element("div", {class: "track poses"});
    let last = -Infinity;
    for (const [start, end] of segments) {
      const at = Math.min(start + 0.5 * this.r.fps, (start + end) / 2); // a moment into it: at its very beginning it looks like the one before
      if (at / this.r.frames - last < 0.075) continue;
      last = at / this.r.frames;
      track.append(this.place(smallPose(this.motion, at / this.r.fps), at));
    }
    return track;
  }

  bars(segments, what) {
    const text = segments.map(([start, end, c]) => `${className(c)} ${seconds(this.r.start + start / this.r.fps)} to ${seconds(this.r.start + end / this.r.fps)}`).join(", ");
    const track = element("div", {class: "track", role: "img", "aria-label": `${what}: ${text || "nothing"}`});
    for (const [start, end, c, score] of segments) {
      const bar = this.place(element("div", {class: "segment", title: `${className(c)} ${seconds(this.r.start + start / this.r.fps)} – ${seconds(this.r.start + end / this.r.fps)}${score === undefined ? "" : `, score ${score.toFixed(3)}`}`}, className(c)), start, end);
      bar.style.background = classColour(c);
      bar.style.color = inkOn(classColour(c));
      track.append(bar);
    }
    return track;
  }

  // Scores of a run, a row a class; classes that neither occur nor are found are folded away.
  scores(f) {
    const {r} = this, occurs = c => c === background || r.truth.some(s => s[2] === c) || f.segments.some(s => s[2] === c), folded = [];
    const heading = element("div", {class: "fold"}, `scores${this.found.length > 1 ? ` of ${runLabel[f.run]}` : ""}`);
    this.row("", heading);
    f.classes.forEach((c, column) => {
      const part = f.scores.subarray(column * f.bins, (column + 1) * f.bins), most = part.reduce((a, b) => Math.max(a, b), 0);
      const area = svg("path", {fill: classColour(c), d: outline(part)});
      const track = element("div", {class: "track score", role: "img", "aria-label": `Score of ${className(c)}, at most ${(most / 255).toFixed(2)}`},
                            svg("svg", {viewBox: `0 0 ${f.bins} 255`, preserveAspectRatio: "none"}, area));
      const cells = this.row(className(c), track);
      this.lanes.push({f, column, value: cells[2]});
      if (!occurs(c)) folded.push(...cells);
    });
    if (!folded.length) return;
    const button = element("button", {type: "button", "aria-pressed": "false"}, `all ${f.classes.length} classes`);
    button.onclick = () => {
      const open = button.getAttribute("aria-pressed") === "false";
      button.setAttribute("aria-pressed", open);
      for (const cell of folded) cell.hidden = !open;
    };
    for (const cell of folded) cell.hidden = true;
    heading.append(button);
  }

  axis() {
    const {r} = this, track = element("div", {class: "track axis", "aria-hidden": "true"});
    for (const s of ticks(r.start, r.start + this.length, 10)) track.append(this.place(element("span", {}, `${s}\u2009s`), (s - r.start) * r.fps));
    return track;
  }

  // ---- time

  scrub() {
    const to = event => {
      const box = this.cursor.getBoundingClientRect();
      this.seek((event.clientX - box.left) / box.width * this.length);
    };
    this.grid.onpointerdown = event => {
      if (!event.target.closest(".track")) return;
      this.grid.setPointerCapture(event.pointerId);
      this.dragging = true;
      this.cursor.focus({preventScroll: true});
      to(event);
    };
    this.grid.onpointermove = event => { if (this.dragging) to(event); };
    this.grid.onpointerup = this.grid.onpointercancel = () => { this.dragging = false; };
    this.cursor.onkeydown = event => {
      const step = event.shiftKey ? 1 : 1 / this.r.fps;
      const moves = {ArrowRight: this.second + step, ArrowLeft: this.second - step, Home: 0, End: this.length};
      if (event.key === " ") this.play(!this.playing);
      else if (event.key in moves) this.seek(moves[event.key]);
      else return;
      event.preventDefault();
    };
  }

  seek(second) {
    this.second = clamp(second, 0, this.length);
    this.cursor.style.setProperty("--at", this.second / this.length);
    this.clock.textContent = seconds(this.r.start + this.second);
    for (const {f, column, value} of this.lanes) value.textContent = (f.scores[column * f.bins + this.bin(f)] / 255).toFixed(2);
    this.tell();
    this.stage.second = this.second;
    this.stage.draw();
  }

  bin(f) { return clamp(Math.floor(this.second / this.length * f.bins), 0, f.bins - 1); }

  // What is true at the cursor, and the class with the highest score.
  tell() {
    const frame = this.second * this.r.fps, truth = this.r.truth.find(([start, end]) => start <= frame && frame < end), rows = [];
    if (this.r.truth.length) rows.push(["true", truth ? className(truth[2]) : "background", ""]);
    for (const f of this.found) {
      const score = f.classes.map((_, column) => f.scores[column * f.bins + this.bin(f)]), best = score.indexOf(Math.max(...score));
      rows.push([runLabel[f.run], className(f.classes[best]), (score[best] / 255).toFixed(2)]);
    }
    this.now.replaceChildren(...rows.flatMap(([who, what, score]) => [element("dt", {}, who), element("dd", {title: what}, what), element("dd", {}, score)]));
    this.cursor.setAttribute("aria-valuenow", this.second.toFixed(2));
    this.cursor.setAttribute("aria-valuetext", `${seconds(this.r.start + this.second)}: ${rows.map(([who, what]) => `${who} ${what}`).join(", ")}`);
  }

  play(on) {
    this.playing = on;
    this.button.textContent = on ? "Pause" : "Play";
    this.button.setAttribute("aria-label", `${on ? "Pause" : "Play"} ${this.r.id}`);
    if (!on) return;
    for (const other of shown) if (other !== this && other.playing) other.play(false);
    if (this.second >= this.length) this.seek(0);
    let before = null;
    const step = now => {
      if (!this.playing) return;
      if (before !== null) this.seek(this.second + (now - before) / 1000 * this.speed);
      before = now;
      if (this.second < this.length) requestAnimationFrame(step);
      else this.play(false);
    };
    requestAnimationFrame(step);
  }
}

// Bring a moment of a recording onto the screen; false if it is not on the page.
function showMoment(id, second) {
  const found = shown.find(s => s.r.id === id);
  if (!found) return false;
  found.seek(second);
  found.node.scrollIntoView({block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth"});
  return true;
}

// How right each recording is, by run; those with a timeline are links to it.
function judgedTable() {
  const scored = data.runs.map((_, i) => i).filter(i => data.judged.some(j => j.right[i] !== null));
  const link = j => {
    const at = data.recordings.findIndex(r => r.id === j.id);
    return at < 0 ? j.id : element("a", {href: `#recording-${at}`}, j.id);
  };
  const columns = [{name: "recording", value: j => j.id, show: link}, {name: "split", value: j => j.split}, {name: "seconds", value: j => j.seconds, show: j => j.seconds.toFixed(1)},
                   ...scored.map(i => ({name: `${runLabel[i]}`, value: j => j.right[i] ?? -1, show: j => percent(j.right[i]), hint: "frames as labelled"}))];
  return sortable(columns, data.judged).table;
}

function tellRecordings() {
  if (!data.recordings) return;
  const some = data.recordings.length < data.judged.length ? ` ${data.recordings.length} of ${plural(data.judged.length, "recording")} have a timeline.` : "";
  const part = section("recordings", "Recordings", `What is true, what was found, and the score of every class over time; the frames as labelled are those whose class has the highest score. Click or drag on a timeline to move its cursor; with the keyboard, arrows move by a frame, with shift by a second, and space plays. The skeleton turns as it is dragged.${some}`);
  const classes = [...new Set(data.recordings.flatMap(r => [...r.truth, ...r.found.flatMap(f => f.segments)].map(s => s[2])))].sort((a, b) => a - b);
  if (classes.length) part.append(legend(classes.map(c => [classColour(c), className(c)])));
  for (const r of data.recordings) {
    const recording = new Recording(r);
    shown.push(recording);
    part.append(recording.node);
  }
  if (data.judged.length > 1) part.append(element("h3", {}, "All recordings: frames as labelled"), scrolling(judgedTable()));
  const redraw = () => shown.forEach(s => s.stage.draw());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  for (const event of ["beforeprint", "afterprint"]) addEventListener(event, redraw);
}
