// What a reader does with a report, and what the page then shows.
const lines = [], say = (what, value) => lines.push(`${what}: ${value}`);
const ink = canvas => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].reduce((a, v) => (a * 31 + v) % 1000003, 7);
const frames = n => new Promise(done => { let k = n; const next = () => --k ? requestAnimationFrame(next) : done(); requestAnimationFrame(next); });
const pointer = (node, type, x, y) => node.dispatchEvent(new PointerEvent(type, {bubbles: true, pointerId: 1, isPrimary: true, clientX: x, clientY: y}));
Element.prototype.setPointerCapture = () => {}; // events made here belong to no real pointer

say("title", document.getElementById("title").textContent);
say("sections", [...document.querySelectorAll("section")].map(s => s.id).join(" "));
say("runs", document.querySelectorAll("#runs tbody tr").length);
say("mean and deviation", /\d ± \d/.test(document.getElementById("results").textContent));
say("curves", document.querySelectorAll("#curves svg[role=img]").length > 4);
say("hacked", typeof hacked);
say("hostile label as text", document.getElementById("recordings").textContent.includes("<\/script><script>hacked = 1<\/script>"));
say("elements made of data", document.querySelectorAll("b, img").length);
say("references", document.querySelectorAll("[src], link, [href]:not([href^='#'])").length);
say("images without a name", [...document.querySelectorAll("[role=img], [role=slider], button, canvas")].filter(e => !e.getAttribute("aria-label") && !e.textContent).length);

await frames(3);
const recording = shown[0], canvas = recording.stage.canvas, track = recording.node.querySelector(".track.score"), box = track.getBoundingClientRect();
const first = ink(canvas);
pointer(track, "pointerdown", box.left + box.width / 2, box.top + 5);
pointer(track, "pointerup", box.left + box.width / 2, box.top + 5);
say("a click moves the cursor to the middle", Math.abs(recording.second / recording.length - 0.5) < 0.01);
say("and the skeleton", ink(canvas) !== first);
const middle = recording.second;
recording.cursor.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
say("an arrow moves it by frames", Math.round((recording.second - middle) * recording.r.fps));
recording.cursor.dispatchEvent(new KeyboardEvent("keydown", {key: "Home"}));
say("Home", recording.second);
say("and draws the same skeleton again", ink(canvas) === first);
recording.button.click();
await frames(40);
say("it plays", recording.second > 0.3 && recording.second < 5 && recording.button.textContent === "Pause");
recording.button.click();
const stopped = recording.second;
await frames(5);
say("and pauses", recording.second === stopped && recording.button.textContent === "Play");
say("limbs have one length", (() => { // whatever the time, a forearm is as long as it was: motion is not torn
  const m = recording.motion, lengths = [0, 0.31, 0.77].map(t => { const p = poseAt(m, 0, t * recording.length); return Math.hypot(...[0, 1, 2].map(k => p[5 * 3 + k] - p[6 * 3 + k])); });
  return Math.max(...lengths) - Math.min(...lengths) < 0.01 && lengths[0] > 0.1;
})());

const points = () => [...document.querySelectorAll("#embedding .point")].map(p => p.style.fill), byClass = points();
document.querySelector("#embedding button[value=time]").click();
const byTime = points();
say("points", byClass.length > 10);
say("colours change", byClass.join() !== byTime.join() && new Set(byTime).size > 5);
const point = document.querySelector("#embedding .point");
point.dispatchEvent(new MouseEvent("click"));
say("a point leads to its moment", shown.some(s => Math.abs(s.second - data.embeddings[0].second[0]) < 0.001));
say("confusion sums to all frames", data.confusion.every(c => c.of.taken.flat().reduce((a, b) => a + b, 0) === data.confusion[0].of.taken.flat().reduce((a, b) => a + b, 0)));
const same = document.querySelectorAll("#settings tr.same"), differs = document.querySelectorAll("#settings tr.differs");
document.querySelector("#settings button[value='what differs']").click();
say("settings that differ", differs.length > 0 && same.length > 0 && [...same].every(tr => tr.hidden) && ![...differs].some(tr => tr.hidden));
return lines;
