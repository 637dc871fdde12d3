/**
 * How the service is: what works, with which models, how much of everything there is, and the last hour of its figures,
 * brought up to date while the view is open. What is of the whole service is for administrators of all collections.
 */

import * as calls from "./calls/health.js";
import { bytes, factList, link, moment, number, table } from "./controls.js";
import { busyLines, element, quoted } from "./dom.js";
import { advice } from "./health/advice.js";
import { figures } from "./health/figures.js";
import { words } from "./health/words.js";
import { problemBox } from "./problem.js";
import { styled } from "./styled.js";

const EVERY_MS = 10_000;
const COLLECTIONS_EVERY = 6;
const CHECKS = ["database", "index", "embedder", "entailment", "language model", "worker", "disk"];

export async function open(main, _place, signal) {
  const region = element("div", { className: "health" });
  const busy = busyLines();
  main.append(busy);
  const wanted = [calls.health(signal), calls.collections(signal), styled("health.css")];
  let [health, collections] = await Promise.all(wanted).finally(() => busy.remove());
  let problem = null;
  let turns = 0;
  let timer = null;
  main.append(region);
  const parts = ["head", "to-do", "figures", "parts", "library", "storage"].map((name) => element("section", { className: `health-${name}` }));
  region.append(...parts);
  const drawn = new Map();

  /** Draws a section where what it shows has changed, so that what somebody is at stays as it is. */
  function section(name, shows, nodes) {
    const told = JSON.stringify(shows);
    if (drawn.get(name) === told) return;
    drawn.set(name, told);
    const place = parts.find((one) => one.className === `health-${name}`);
    place.replaceChildren(...nodes());
    place.hidden = !place.childNodes.length;
  }

  function draw() {
    const todo = advice(health, collections);
    const { whole, checks, models } = health;
    section("head", [health.now, health.status, problem?.kind], () => head(health, problem));
    section("to-do", todo, () => adviceNodes(todo));
    section("figures", [health.points, health.stages], () => (health.points ? [title("figures"), ...figures(health)] : []));
    section("parts", [checks, models, whole?.language_model], () => [title("parts"), partsTable(health)]);
    section("library", [collections, health.index_generation], () => [title("library"), ...libraryNodes(health, collections)]);
    section("storage", whole, () => (whole ? [title("storage"), storageNodes(whole)] : []));
  }

  async function look() {
    try {
      health = await calls.health(signal);
      turns += 1;
      if (turns % COLLECTIONS_EVERY === 0) collections = await calls.collections(signal);
      problem = null;
    } catch (failure) {
      if (signal.aborted) return;
      if (failure.kind === undefined) throw failure;
      problem = failure;
    }
    if (!signal.aborted) draw();
  }

  function wait() {
    clearTimeout(timer);
    if (signal.aborted) return;
    timer = setTimeout(async () => {
      if (document.visibilityState === "visible") await look();
      wait();
    }, EVERY_MS);
  }

  signal.addEventListener("abort", () => clearTimeout(timer));
  for (const event of ["online", "offline"]) globalThis.addEventListener(event, look, { signal });
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && look(), { signal });
  draw();
  wait();
  return {
    redraw() {
      drawn.clear();
      draw();
    },
    close: () => clearTimeout(timer),
  };
}

function title(name) {
  return element("h3", {}, words()[name]);
}

function head(health, problem) {
  const broken = Object.values(health.checks).filter((said) => !said.startsWith("ok")).length;
  const time = moment(health.now, { timeStyle: "medium" });
  return [
    element(
      "div",
      { className: "state-line" },
      element("h2", { className: broken ? "bad" : "good" }, dot(broken ? "bad" : "good"), broken ? words().worksNot(broken) : words().works),
      element("p", { className: "meta" }, words().asOf(time)),
    ),
    element("p", { className: "meta" }, words().running(health.version, moment(health.started_at))),
    ...(problem ? [element("p", { className: "doubt" }, words().stale), problemBox(problem)] : []),
  ];
}

function adviceNodes(found) {
  if (!found.length) return [title("toDo"), element("p", { className: "meta" }, words().nothingToDo)];
  const items = found.map(({ level, title: of, text, lang, href, label }) =>
    element(
      "li",
      { className: level },
      dot(level),
      element(
        "div",
        {},
        of ? element("p", { className: "title" }, of) : null,
        lang ? quoted("p", text, lang) : element("p", {}, text),
        href ? element("p", {}, link(label, href)) : null,
      ),
    ),
  );
  return [title("toDo"), element("ul", { className: "advice" }, ...items)];
}

/** A sign of the state, which its words say too. */
function dot(level) {
  return element("span", { className: `dot ${level}`, "aria-hidden": "true" });
}

/** What is checked and what works with which model, in one table. */
function partsTable({ checks, models, whole }) {
  const byPart = Object.fromEntries(models.map((model) => [model.part, model]));
  const order = [...CHECKS, ...Object.keys(checks).filter((name) => !CHECKS.includes(name)), "reranker"];
  const rows = order
    .filter((name) => checks[name] !== undefined || name in byPart)
    .map((name) => [words().checks[name] || name, stateNode(checks[name], byPart[name]), modelNode(byPart[name], checks, whole)]);
  const { part, state, model } = words();
  return table([part, state, model], rows, "parts-table");
}

function stateNode(said, model) {
  if (said === undefined) return model?.name ? words().fine : element("span", { className: "meta" }, "–");
  const level = said.startsWith("ok") ? "good" : "bad";
  return element("span", { className: level }, dot(level), level === "good" ? words().fine : words().broken);
}

function modelNode(model, checks, whole) {
  if (!model) return null;
  if (!model.name) {
    const isAbsent = model.part === "language model" && checks[model.part] === undefined;
    return element("span", { className: "meta" }, isAbsent ? words().quoting : model.part === "reranker" ? words().none : words().unknown);
  }
  const more = [
    model.calibrated === null ? null : model.calibrated ? words().calibrated : words().uncalibrated,
    model.version ? `vLLM ${model.version}` : null,
    model.context_tokens ? words().room(number(model.context_tokens)) : null,
    model.part === "language model" ? whole?.language_model : null,
    model.fingerprint ? model.fingerprint.slice(0, 12) : null,
  ].filter(Boolean);
  return element("div", {}, quoted("span", model.name, ""), more.length ? element("p", { className: "meta" }, more.join(" · ")) : null);
}

function libraryNodes({ index_generation: generation }, collections) {
  const { collection, documents, passages } = words();
  const rows = collections.map((one) => [quoted("span", one.name, ""), number(one.documents), number(one.passages)]);
  return [
    collections.length ? table([collection, documents, passages], rows, "counts") : element("p", { className: "meta" }, words().noCollections),
    ...(generation === null ? [] : [element("p", { className: "meta" }, `${words().generation}: ${number(generation)}`)]),
  ];
}

function storageNodes(whole) {
  const { index, jobs, caches } = whole;
  const vectors = index.vectors.map((one) =>
    element("li", {}, `${words().kind(one.kind)}: ${words().vectorsTold(number(one.vectors), one.segments, bytes(one.bytes))}`),
  );
  const states = Object.entries(words().jobStates).filter(([state]) => jobs[state]);
  const hits = ({ hits: found, misses }) => (found + misses ? words().hitsTold(number(found), number(found + misses)) : null);
  const busy = ({ running, waiting }) => (running === undefined ? null : words().busy(running, waiting));
  const disk = element("progress", { max: whole.disk_total, value: whole.disk_total - whole.disk_free });
  disk.setAttribute("aria-hidden", "true");
  return factList([
    [words().vectors, index.vectors.length ? element("ul", {}, element("li", {}, index.about || ""), ...vectors) : index.about],
    [words().wordIndex, bytes(index.lexical_bytes)],
    [words().database, `${bytes(whole.database_bytes)} · ${whole.database}`],
    [words().disk, element("div", {}, disk, " ", words().diskTold(bytes(whole.disk_free), bytes(whole.disk_total)))],
    [words().home, whole.home],
    [words().queue, states.map(([state, said]) => `${said} ${number(jobs[state])}`).join(" · ") || words().noJobs],
    [words().searches, busy(whole.searches)],
    [words().texts, busy(whole.model_requests)],
    [words().vectorCache, hits(caches.query_vectors)],
    [words().permittedCache, hits(caches.permitted_passages)],
  ]);
}
