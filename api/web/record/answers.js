/** The stored answers as a list, a page at a time, narrowed by the service. The address says what is looked for. */

import * as calls from "../calls/record.js";
import { beginningOf, button, choice, emptyBox, link, moment, parameters, table } from "../controls.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { callerNode, knownCallers, namesOfKeys, words } from "./callers.js";
import { filterForm } from "./filters.js";

const PAGE = 25;
const SHOWN = 180;
const QUOTING = "extractive";
const ASKED = ["text", "status", "mode", "collection", "model", "caller_id", "since", "until"];

export async function open(region, { query }, { who, signal }) {
  const isAdmin = who.role === "admin";
  let asked = Object.fromEntries(ASKED.map((name) => [name, query.get(name) || ""]));
  let page = Math.max(1, Number.parseInt(query.get("page"), 10) || 1);
  let found = null;
  let looking = new AbortController();
  const [names, collections] = await Promise.all([namesOfKeys(who, signal), calls.collectionNames(signal)]);
  const told = element("p", { className: "meta told" });
  told.setAttribute("role", "status");
  const list = element("div", {});
  signal.addEventListener("abort", () => looking.abort());

  const filters = filterForm(
    () => {
      const { modes, statuses, any } = words();
      const field = (type, properties = {}) => element("input", { type, autocomplete: "off", ...properties });
      return [
        ["text", words().textField, field("search", { maxLength: 400 })],
        ["status", words().statusField, choice([["", any], ...Object.entries(statuses)], "")],
        ["mode", words().modeField, choice([["", any], ...Object.entries(modes)], "")],
        ["collection", words().collectionField, choice([["", any], ...collections.map((name) => [name, name])], "")],
        ["since", words().sinceField, field("date")],
        ["until", words().untilField, field("date")],
        ["model", words().modelField, field("text", { maxLength: 200, placeholder: any })],
        ...(isAdmin ? [["caller_id", words().askerField, choice([["", any], ...knownCallers(names)], "")]] : []),
      ];
    },
    asked,
    (changed) => turn({ ...asked, ...changed }, 1),
    signal,
  );
  region.append(filters.form, told, list);

  async function turn(wanted, to) {
    asked = wanted;
    page = to;
    const said = parameters({ ...asked, page: page > 1 ? page : "" });
    history.replaceState(null, "", said ? `#/record/answers?${said}` : "#/record");
    await look();
  }

  async function look() {
    looking.abort();
    looking = new AbortController();
    const mine = looking.signal;
    region.setAttribute("aria-busy", "true");
    const days = { since: beginningOf(asked.since), until: beginningOf(asked.until, 1) };
    try {
      found = await calls.answers({ ...asked, ...days, limit: PAGE, offset: (page - 1) * PAGE }, mine);
      if (!mine.aborted) draw();
    } catch (problem) {
      if (mine.aborted) return;
      if (problem.kind === undefined) throw problem;
      found = null;
      told.replaceChildren();
      list.replaceChildren(problemBox(problem));
    } finally {
      if (!mine.aborted) region.removeAttribute("aria-busy");
    }
  }

  function draw() {
    const { answers, total } = found;
    const isNarrowed = Object.values(asked).some(Boolean);
    filters.form.hidden = told.hidden = !total && !isNarrowed;
    if (!answers.length) {
      told.replaceChildren();
      list.replaceChildren(isNarrowed ? emptyBox(words().nothingFits, words().nothingFitsHint) : noAnswers(who));
      return;
    }
    const first = (page - 1) * PAGE + 1;
    told.textContent = total > PAGE ? words().pageTold(first, first + answers.length - 1, total) : words().answersTold(total);
    list.replaceChildren(answersTable(answers, isAdmin, names), pager(total));
  }

  function pager(total) {
    const pages = Math.ceil(total / PAGE);
    if (pages < 2) return "";
    const to = async (wanted) => {
      await turn(asked, wanted);
      globalThis.scrollTo({ top: 0 });
    };
    const previous = button(words().previous, () => to(page - 1));
    const next = button(words().next, () => to(page + 1));
    previous.disabled = page <= 1;
    next.disabled = page >= pages;
    return element("div", { className: "pager" }, previous, element("span", { className: "meta" }, `${page} / ${pages}`), next);
  }

  await look();
  return {
    redraw() {
      filters.draw();
      if (found) draw();
    },
  };
}

function noAnswers(who) {
  const hint = who.recorded ? words().noAnswersHint : words().unrecorded;
  return emptyBox(words().noAnswers, hint, element("p", {}, link(words().toAsk, "#/", "main as-button")));
}

function answersTable(answers, isAdmin, names) {
  const { question, when, statusField, modeField, modelField, askerField } = words();
  const isWritten = answers.some((one) => one.model !== QUOTING);
  const columns = [question, statusField, modeField, ...(isWritten ? [modelField] : []), ...(isAdmin ? [askerField] : []), when];
  return table(columns, answers.map((one) => row(one, isWritten, isAdmin, names)), "answers-table");
}

function row(answer, isWritten, isAdmin, names) {
  const title = link(answer.question, `#/record/answers/${encodeURIComponent(answer.id)}`, "title");
  Object.assign(title, { dir: "auto", lang: answer.language });
  return [
    element("div", {}, title, quoted("p", short(answer.text), answer.language, "meta")),
    statusTag(answer.status),
    words().modes[answer.mode] || answer.mode,
    ...(isWritten ? [answer.model === QUOTING ? null : quoted("span", answer.model, "")] : []),
    ...(isAdmin ? [callerNode(answer.caller_id, names)] : []),
    element("span", { className: "moment" }, moment(answer.created_at)),
  ];
}

export function statusTag(status) {
  return element("span", { className: `tag ${status}` }, words().statuses[status] || status);
}

function short(text) {
  const points = Array.from(text.replace(/\s+/g, " "));
  return points.length > SHOWN ? `${points.slice(0, SHOWN).join("")}…` : points.join("");
}
