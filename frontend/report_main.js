"use strict";
// A report from top to bottom.

document.getElementById("title").textContent = data.title;
document.getElementById("lead").textContent = data.runs.map((r, i) => runLabel[i]).join(" · ");
tellRuns();
tellResults();
tellCurves();
tellRecordings();
tellConfusion();
tellEmbeddings();
tellSettings();
document.getElementById("footer").append(
  `sinew ${data.version}: `, element("code", {}, data.command.map(w => /^[\w./:,=@%+-]+( report)?$/.test(w) ? w : `'${w.replaceAll("'", "'\\''")}'`).join(" ")));
