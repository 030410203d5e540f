"use strict";
// A report from top to bottom.

document.getElementById("title").textContent = data.title;
document.getElementById("lead").textContent =
  `${plural(data.runs.length, "run")}${data.set ? `, on ${plural(data.set.sequences, "recording")} of split ${data.set.val} of ${data.set.path.split("/").pop()}` : ""}.`;
tellRuns();
tellResults();
tellCurves();
tellRecordings();
tellConfusion();
tellEmbeddings();
tellSettings();
document.getElementById("footer").append(
  `sinew ${data.version}: `, element("code", {}, data.command.map(w => /^[\w./:,=@%+-]+( report)?$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`).join(" ")));
