/** An error in a quiet box: what happened, what to do, and the id by which the server's log knows it. */

import { element } from "./dom.js";
import { currentLanguage, words } from "./words.js";

export function problemBox(problem) {
  const { title, detail, lang } = said(problem);
  return element(
    "div",
    { className: "box" },
    element("p", { className: "box-title", lang }, title),
    detail ? element("p", { lang }, detail) : null,
    problem.requestId ? element("p", { className: "meta" }, `${words().requestId} ${problem.requestId}`) : null,
  );
}

function said(problem) {
  const { unreachableTitle, unreachableDetail, unreadableDetail, brokenTitle, brokenDetail } = words();
  const lang = currentLanguage();
  if (problem.kind === "refused") return { title: problem.title, detail: problem.detail, lang: "en" };
  if (problem.kind === "unreachable") return { title: unreachableTitle, detail: unreachableDetail, lang };
  if (problem.kind === "broken") return { title: brokenTitle, detail: brokenDetail, lang };
  return { title: `HTTP ${problem.status}`, detail: unreadableDetail, lang };
}
