/** Loading documents: choosing files, what is on its way, and the jobs at the service with what became of each file. */

import * as calls from "../calls/library.js";
import { element, quoted } from "../dom.js";
import { problemBox } from "../problem.js";
import { chosenFiles, droppedFiles } from "./choosing.js";
import { isUnfinished, jobItem } from "./job.js";
import * as uploads from "./uploads.js";
import { button, bytes, choice, labelled, words } from "./parts.js";

const PAGE = 50;
const LOOK_EVERY_MS = 1500;
const MOST_ROWS = 200;
const STATES = ["", "queued", "running", "failed", "partial", "cancelled", "succeeded"];
const FIELDS = ["title", "publisher", "edition", "published", "review_by", "url"];

export async function open(region, { query }, context) {
  const { signal } = context;
  let chosen = { files: [], hidden: 0 };
  let names = [];
  let state = STATES.includes(query.get("state")) ? query.get("state") : "";
  let page = 0;
  let found = { jobs: [], total: 0, states: {} };
  let timer = null;
  let frame = null;
  const form = element("form", { className: "load-form" });
  const way = element("section", { className: "on-the-way" });
  const list = element("section", { className: "jobs" });
  const said = element("div");
  said.setAttribute("aria-live", "polite");
  region.append(form, said, way, list);

  async function look() {
    clearTimeout(timer);
    try {
      found = await calls.jobs({ state, limit: PAGE, offset: page * PAGE }, signal);
      if (signal.aborted) return;
      drawJobs();
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.kind === undefined) throw problem;
      said.replaceChildren(problemBox(problem));
    }
    // the counts may be of a moment later than the rows, which then still have to be looked at once more
    const isWorking = found.states.queued || found.states.running || found.jobs.some(isUnfinished);
    if (isWorking && !signal.aborted) timer = setTimeout(look, LOOK_EVERY_MS);
  }

  /** Files may be let go of anywhere: beside the marked place, the browser would leave the page to show them. */
  function takeDropped() {
    const mark = (isOver) => form.querySelector(".drop")?.classList.toggle("over", isOver);
    const over = (event) => {
      event.preventDefault();
      mark(true);
    };
    const drop = async (event) => {
      event.preventDefault();
      mark(false);
      const dropped = await droppedFiles(event.dataTransfer);
      if (dropped.files.length || dropped.hidden) choose(dropped);
    };
    document.addEventListener("dragover", over, { signal });
    document.addEventListener("dragleave", () => mark(false), { signal });
    document.addEventListener("drop", drop, { signal });
  }

  /** A job that the service has just taken is shown at once. */
  function changed(job) {
    if (signal.aborted) return;
    if (job) {
      if (!page && (!state || state === job.state))
        found.jobs = [job, ...found.jobs.filter((one) => one.id !== job.id)].slice(0, PAGE);
      found.states = { ...found.states, [job.state]: (found.states[job.state] || 0) + 1 };
      found.total += 1;
      clearTimeout(timer);
      timer = setTimeout(look, LOOK_EVERY_MS);
    }
    frame ??= requestAnimationFrame(() => {
      frame = null;
      drawWay();
      if (job) drawJobs();
    });
  }

  async function attempt(act) {
    said.replaceChildren();
    try {
      await act();
      await look();
    } catch (problem) {
      if (problem.kind === undefined) throw problem;
      said.replaceChildren(problemBox(problem));
    }
  }

  function choose(more) {
    chosen = { files: [...chosen.files, ...more.files], hidden: chosen.hidden + more.hidden };
    drawForm();
    form.querySelector("[type=submit]").focus({ preventScroll: true });
  }

  function drawForm() {
    const kept = new FormData(form);
    const known = form.querySelector("details")?.open || false;
    const { load, readFormats } = words();
    const files = element("input", { type: "file", name: "file", multiple: true, hidden: true });
    const folder = element("input", { type: "file", name: "folder", hidden: true, webkitdirectory: true });
    for (const field of [files, folder]) {
      field.addEventListener("change", () => choose(chosenFiles(field.files)));
    }
    const zone = element(
      "div",
      { className: "drop" },
      element("p", { className: "drop-title" }, load.drop),
      element(
        "div",
        { className: "buttons" },
        button(load.files, () => files.click()),
        button(load.folder, () => folder.click()),
      ),
      files,
      folder,
      element("p", { className: "meta" }, readFormats),
    );
    const into = element("input", {
      type: "text",
      name: "collection",
      required: true,
      maxLength: 100,
      autocomplete: "off",
      value: kept.get("collection") ?? query.get("collection") ?? "default",
    });
    into.setAttribute("list", "collection-names");
    const metadata = FIELDS.filter((name) => name !== "title" || chosen.files.length < 2).map((name) => {
      const field = element("input", {
        type: name === "url" ? "url" : "text",
        name,
        autocomplete: "off",
        value: kept.get(name) || "",
      });
      if (["published", "review_by"].includes(name)) field.pattern = "\\d{4}(-\\d{2}){0,2}";
      return labelled(load.fields[name], field);
    });
    const start = element(
      "button",
      { type: "submit", className: "main", disabled: !chosen.files.length },
      chosen.files.length ? load.start(chosen.files.length) : load.startNone,
    );
    form.replaceChildren(
      ...[
        zone,
        chosen.files.length ? chosenNodes() : null,
        element(
          "div",
          { className: "fields" },
          labelled(load.into, into),
          element("datalist", { id: "collection-names" }, ...names.map((name) => element("option", { value: name }))),
        ),
        element(
          "details",
          { open: known },
          element("summary", {}, load.known),
          element("p", { className: "meta" }, load.knownHint),
          element("div", { className: "fields" }, ...metadata),
        ),
        start,
      ].filter(Boolean),
    );
  }

  function chosenNodes() {
    const { load } = words();
    const takeOut = (file) => {
      chosen = { ...chosen, files: chosen.files.filter((one) => one !== file) };
      drawForm();
    };
    const rows = chosen.files.slice(0, MOST_ROWS).map((file) =>
      element(
        "li",
        {},
        quoted("span", file.name, ""),
        " ",
        element("span", { className: "meta" }, bytes(file.file.size)),
        button(load.takeOut, () => takeOut(file)),
      ),
    );
    const more = chosen.files.length - rows.length;
    const none = () => {
      chosen = { files: [], hidden: 0 };
      drawForm();
    };
    return element(
      "div",
      { className: "chosen-files" },
      element(
        "p",
        {},
        element("strong", {}, load.chosen(chosen.files.length)),
        chosen.hidden ? element("span", { className: "meta" }, ` · ${load.leftOut(chosen.hidden)}`) : "",
        " ",
        button(load.clear, none),
      ),
      element("ul", {}, ...rows, ...(more > 0 ? [element("li", { className: "meta" }, load.more(more))] : [])),
    );
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!chosen.files.length) return;
    const stated = new FormData(form);
    const metadata = Object.fromEntries(
      FIELDS.map((name) => [name, (stated.get(name) || "").trim()]).filter(([, value]) => value),
    );
    const collection = stated.get("collection").trim();
    const { files } = chosen;
    chosen = { files: [], hidden: 0 };
    form.reset();
    drawForm();
    form.elements.collection.value = collection;
    for (const name of FIELDS) if (form.elements[name]) form.elements[name].value = "";
    uploads.add(files, collection, metadata);
  });

  function drawWay() {
    const { load } = words();
    const items = uploads.onTheWay();
    way.hidden = !items.length;
    if (!items.length) {
      way.replaceChildren();
      return;
    }
    const ordered = ["sending", "refused", "stopped", "waiting"].flatMap((one) =>
      items.filter((item) => item.state === one),
    );
    const gone = items.filter((item) => ["refused", "stopped"].includes(item.state));
    const isSending = gone.length < items.length;
    const rows = ordered.slice(0, MOST_ROWS);
    const more = ordered.length - rows.length;
    way.replaceChildren(
      element("h3", {}, load.sending),
      element(
        "p",
        { className: "meta" },
        isSending ? load.sendingHint : "",
        " ",
        gone.length > 1 ? button(load.dismissAll, () => uploads.forget(gone)) : "",
        items.length - gone.length > 1 ? button(load.stopAll, () => uploads.stopAll()) : "",
      ),
      element(
        "ul",
        { className: "documents jobs-list" },
        ...rows.map(wayItem),
        ...(more > 0 ? [element("li", { className: "meta" }, load.more(more))] : []),
      ),
    );
  }

  function wayItem(item) {
    const { load } = words();
    const seconds = uploads.heldUntil() ? Math.max(1, Math.ceil((uploads.heldUntil() - Date.now()) / 1000)) : 0;
    const told = {
      waiting: seconds ? load.held(seconds) : load.waiting,
      sending: load.sent(item.part),
      refused: load.refused,
      stopped: load.stopped,
    }[item.state];
    const isOver = ["refused", "stopped"].includes(item.state);
    const retried = item.state === "stopped" || ![413, 415, 422].includes(item.problem?.status);
    return element(
      "li",
      { "data-state": item.state },
      element(
        "div",
        { className: "job-head" },
        quoted("p", item.name, "", "title"),
        element("span", { className: `state ${item.state === "refused" ? "failed" : item.state}` }, told),
      ),
      element("p", { className: "meta" }, `${bytes(item.size)} · `, quoted("span", item.collection, "")),
      item.state === "sending" ? element("progress", { max: 1, value: item.part, "aria-label": item.name }) : null,
      item.problem ? reason(item.problem) : null,
      element(
        "div",
        { className: "buttons" },
        ...(isOver
          ? [
              ...(retried ? [button(load.again, () => uploads.again(item))] : []),
              button(load.dismiss, () => uploads.forget([item])),
            ]
          : [button(load.cancelJob, () => uploads.stop(item))]),
      ),
    );
  }

  /** What can be done with all jobs of a state that are shown, where they are several. */
  function allOf(shown) {
    const { load } = words();
    const isWaiting = shown === "queued";
    if (found.jobs.length < 2 || !["queued", "failed", "partial", "cancelled"].includes(shown)) return null;
    const change = isWaiting ? calls.cancelJob : calls.retryJob;
    const changeAll = () =>
      attempt(async () => {
        for (const job of found.jobs) await change(job.id);
      });
    return button(isWaiting ? load.cancelShown(found.jobs.length) : load.retryShown(found.jobs.length), changeAll);
  }

  function drawJobs() {
    const { load } = words();
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const counted = STATES.filter((one) => one && found.states[one]);
    const everything = Object.values(found.states).reduce((sum, number) => sum + number, 0);
    const options = [
      ["", `${words().all} (${everything})`],
      ...counted.map((one) => [one, `${load.states[one]} (${found.states[one]})`]),
    ];
    if (state && !counted.includes(state)) options.push([state, `${load.states[state]} (0)`]);
    const turn = (to) => {
      page = to;
      look();
    };
    const pages = Math.ceil(found.total / PAGE);
    const act = {
      cancel: (job) => attempt(() => calls.cancelJob(job.id)),
      retry: (job) => attempt(() => calls.retryJob(job.id)),
    };
    const pick = (value) => {
      state = value;
      turn(0);
    };
    const filter = everything
      ? labelled(load.which, choice(options, state, pick, { "data-act": "which" }), "which")
      : null;
    const all = allOf(state);
    const previous = button(words().previous, () => turn(page - 1));
    const next = button(words().next, () => turn(page + 1));
    previous.disabled = page === 0;
    next.disabled = page + 1 >= pages;
    list.replaceChildren(
      ...[
        element("div", { className: "list-head" }, element("h3", {}, load.jobs), all || "", filter || ""),
        found.jobs.length
          ? element("ul", { className: "documents jobs-list" }, ...found.jobs.map((job) => jobItem(job, act)))
          : element("p", { className: "meta" }, everything ? load.noJobsInState : load.noJobs),
        pages > 1
          ? element(
              "div",
              { className: "pager" },
              previous,
              element("span", { className: "meta" }, `${page + 1} / ${pages}`),
              next,
            )
          : null,
      ].filter(Boolean),
    );
    if (focused) list.querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  }

  takeDropped();
  uploads.listen(changed);
  names = await calls.collectionNames(signal);
  drawForm();
  drawWay();
  await look();
  return {
    redraw() {
      drawForm();
      drawWay();
      drawJobs();
    },
    close() {
      clearTimeout(timer);
      uploads.listen(() => {});
    },
  };
}

function reason(problem) {
  if (problem.kind !== "refused") return problemBox(problem);
  return element("p", { className: "doubt", lang: "en" }, problem.detail || problem.title);
}
