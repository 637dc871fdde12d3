/** The audit record for administrators: rows newest first, its export, and whether it is whole. */

import * as calls from "../calls/record.js";
import { beginningOf, button, choice, emptyBox, link, moment, parameters, table } from "../controls.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { callerNode, knownCallers, namesOfKeys, words } from "./callers.js";
import { filterForm } from "./filters.js";
import { verifying } from "./verifying.js";

const PAGE = 50;
const ASKED = ["action", "caller_id", "subject", "since", "until"];
const SEALS = "seals";
const SHOWN_AT = [
  [["answer", "replay", "feedback", "handled"], "#/record/answers/"],
  [["retire", "unretire"], "#/library/documents/"],
  [["ingest", "publish"], "#/library/documents?collection="],
];

export async function open(region, { query }, { who, signal }) {
  let asked = Object.fromEntries(ASKED.map((name) => [name, query.get(name) || ""]));
  let entries = [];
  let isAll = true;
  let failed = null;
  let looking = new AbortController();
  signal.addEventListener("abort", () => looking.abort());
  const names = await namesOfKeys(who, signal);
  const intro = element("p", { className: "meta intro" });
  const list = element("div", {});
  const exporting = element("a", { className: "quiet as-button" });
  exporting.download = "audit.jsonl";
  const checking = verifying(signal);

  const filters = filterForm(
    () => {
      const { actions, any } = words();
      const sorted = Object.entries(actions).sort(([, one], [, other]) => one.localeCompare(other));
      return [
        ["caller_id", words().whoField, choice([["", any], ...knownCallers(names)], "")],
        ["action", words().actionField, choice([["", any], ...sorted], "")],
        ["since", words().sinceField, element("input", { type: "date" })],
        ["until", words().untilField, element("input", { type: "date" })],
        ["subject", words().subjectField, element("input", { type: "text", maxLength: 200, autocomplete: "off" })],
      ];
    },
    asked,
    async (changed) => {
      asked = { ...asked, ...changed };
      const said = parameters(asked);
      history.replaceState(null, "", said ? `#/record/audit?${said}` : "#/record/audit");
      await look();
    },
    signal,
  );
  region.append(intro, checking.node, filters.form, element("p", { className: "told" }, exporting), list);

  const wanted = () => ({ ...asked, since: beginningOf(asked.since), until: beginningOf(asked.until, 1) });

  /** The first rows, or those before the last one that is shown. */
  async function look(before = "") {
    looking.abort();
    looking = new AbortController();
    const mine = looking.signal;
    failed = null;
    region.setAttribute("aria-busy", "true");
    try {
      const found = await calls.audit({ ...wanted(), before, limit: PAGE }, mine);
      if (mine.aborted) return;
      entries = before ? [...entries, ...found.entries] : found.entries;
      isAll = found.entries.length < PAGE;
    } catch (problem) {
      if (mine.aborted) return;
      if (problem.kind === undefined) throw problem;
      failed = problem;
    }
    region.removeAttribute("aria-busy");
    draw();
  }

  function draw() {
    intro.textContent = words().auditIntro;
    exporting.textContent = words().export;
    exporting.href = calls.exportAddress(wanted());
    if (failed) list.replaceChildren(problemBox(failed));
    else if (!entries.length) list.replaceChildren(emptyBox(words().noRows, words().noRowsHint));
    else {
      const { when, whoField, from, what, about, details, number } = words();
      const rows = entries.map((entry) => row(entry, names));
      const more = isAll ? "" : element("p", { className: "pager" }, button(words().older, () => look(entries.at(-1).number)));
      list.replaceChildren(table([when, whoField, what, about, from, number, details], rows, "audit-table"), more);
    }
  }

  await look();
  return {
    redraw() {
      filters.draw();
      checking.redraw();
      draw();
    },
  };
}

function row(entry, names) {
  return [
    element("span", { className: "moment" }, moment(entry.at, { dateStyle: "medium", timeStyle: "medium" })),
    callerNode(entry.caller_id, names),
    words().actions[entry.action] || entry.action,
    aboutNode(entry, names),
    entry.address,
    element("span", { className: "number" }, String(entry.number)),
    detailsNode(entry),
  ];
}

/** What a row is about, which leads to it where the page shows such a thing. */
function aboutNode({ action, subject }, names) {
  if (!subject) return null;
  if (action.startsWith("key.")) return quoted("span", names.get(`key:${subject}`) || subject, "");
  const shown = subject.length > 20 ? `${subject.slice(0, 8)}…` : subject;
  const shows = SHOWN_AT.find(([actions]) => actions.includes(action));
  const made = shows ? link(shown, `${shows[1]}${encodeURIComponent(subject)}`) : quoted("span", shown, "");
  made.title = subject;
  return made;
}

function detailsNode(entry) {
  const said = Object.entries(entry.details).filter(([name, value]) => name !== SEALS && value !== null);
  const lines = said.map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
  if (entry.details[SEALS]) lines.push(words().sealsTold(entry.details[SEALS].length));
  if (entry.request_id) lines.push(`${words().requestId} ${entry.request_id}`);
  if (!lines.length) return null;
  const parts = lines.map((line) => quoted("li", line, ""));
  return element("details", {}, element("summary", {}, words().details), element("ul", { className: "plain" }, ...parts));
}
