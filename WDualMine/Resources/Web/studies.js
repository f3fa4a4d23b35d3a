// The table of a batch, and the progress of a fusion.

import { $, element, filled } from "./elements.js";

export function showOnly(id) {
  for (const each of ["fusing", "studies", "workbench"]) $(each).hidden = each !== id;
}

export function table(rows, open) {
  showOnly("studies");
  $("back").hidden = true;
  $("title").textContent = "WDualMine";
  $("whose").textContent = "";
  for (const id of ["warning", "prior-warning"]) $(id).hidden = true;
  filled(document.querySelector("#studies tbody"), rows, (row) => {
    const line = document.createElement("tr");
    const first = document.createElement("td");
    const go = element("button", row.heading, { type: "button", disabled: !row.there });
    go.addEventListener("click", () => open(row.number));
    first.append(go);
    const figure = (x, digits) => (typeof x === "number" ? x.toFixed(digits) : "");
    line.append(first, ...[
      row.words ? `${row.state}: ${row.words}` : row.state ?? "", row.verdict ?? "",
      figure(row.cc_over_bound, 4), figure(row.flagged_ml, 1),
    ].map((text) => element("td", text)));
    return line;
  });
}

export function progress({ fraction, text, failure }) {
  showOnly("fusing");
  $("progress").value = fraction;
  $("stage").textContent = failure || `${Math.round(100 * fraction)} %: ${text}`;
  $("cancel").hidden = Boolean(failure);
  $("start").hidden = !failure;
}
