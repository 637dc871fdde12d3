/** A job at the service: how far it is, what became of its files, and what can be done about it. */

import { element, joined, quoted } from "../dom.js";
import { button, documentAddress, documentsAddress, link, moment, short, words } from "./parts.js";

const UNFINISHED = ["queued", "running"];
const NAMES_SHOWN = 5;

export function isUnfinished(job) {
  return UNFINISHED.includes(job.state);
}

/** `act.cancel(job)` and `act.retry(job)` are called by the buttons. */
export function jobItem(job, act) {
  const files = job.files || [];
  const isOne = job.progress.files_total <= 1 && files.length <= 1;
  const failed = files.filter((file) => file.status === "failed");
  const rest = isOne ? [] : files.filter((file) => file.status !== "failed" && file.document_id !== null);
  return element(
    "li",
    { "data-job": job.id, "data-state": job.state },
    element(
      "div",
      { className: "job-head" },
      title(job, isOne ? files[0] : null),
      element("span", { className: `state ${job.state}` }, words().load.states[job.state]),
    ),
    element("p", { className: "meta" }, summary(job)),
    job.state === "running" ? progress(job) : null,
    job.error ? quoted("p", job.error, "en", "doubt") : null,
    isOne && failed.length
      ? quoted("p", failed[0].reason || "", "en", "doubt")
      : list(failed, (job.counts.failed || 0) - failed.length, failedFile),
    list(rest, 0, readFile),
    element("div", { className: "buttons" }, ...actions(job, act)),
  );
}

/** The names of what was to be read; of a single file the way to the document it became. */
function title(job, file) {
  const named = short(job.paths.slice(0, NAMES_SHOWN).join(", "), 300);
  if (file?.documents > 1)
    return element(
      "p",
      { dir: "auto" },
      link(named, documentsAddress({ collection: job.collection, q: file.path }), "title"),
      " ",
      element("span", { className: "meta" }, words().documents(file.documents)),
    );
  if (!file?.document_id) return quoted("p", named, "", "title");
  const flagged = file.flagged
    ? link(words().load.flagged(file.flagged), documentAddress(file.document_id, { at: "flagged" }), "doubt")
    : "";
  return element("p", { dir: "auto" }, link(named, documentAddress(file.document_id), "title"), " ", flagged);
}

function summary(job) {
  const { load } = words();
  const { files_done: done, files_total: total } = job.progress;
  const outcomes = Object.entries(job.counts).filter(([status]) => status !== "queued" || job.state !== "running");
  return joined([
    ...(total > 1 || job.state !== "queued" ? outcomes.map(([status, files]) => load.outcomes[status](files)) : []),
    total > 1 && job.state === "running" ? load.readAll(done, total) : null,
    job.passages ? load.embedded(job.passages) : null,
    job.flagged && total > 1 ? load.flagged(job.flagged) : null,
    job.collection,
    moment(job.created_at),
    job.cancel_requested && isUnfinished(job) ? load.cancelling : null,
  ]);
}

function progress(job) {
  const { files_done: done, files_total: total } = job.progress;
  return element("progress", {
    "aria-label": words().load.states.running,
    ...(total > 1 ? { max: total, value: done } : {}),
  });
}

function list(files, more, item) {
  if (!files.length) return null;
  return element(
    "ul",
    { className: "places" },
    ...files.map((file) => element("li", {}, ...item(file))),
    more > 0 ? element("li", { className: "meta" }, words().load.more(more)) : null,
  );
}

function failedFile(file) {
  return [quoted("span", file.path, "", "marker"), ": ", quoted("span", file.reason || "", "en", "doubt")];
}

function readFile(file) {
  const open = link(file.path, documentAddress(file.document_id));
  open.dir = "auto";
  const flagged = file.flagged
    ? link(words().load.flagged(file.flagged), documentAddress(file.document_id, { at: "flagged" }), "doubt")
    : null;
  return flagged ? [open, " · ", flagged] : [open];
}

function actions(job, act) {
  const { load } = words();
  const made = (text, done, name) => {
    const one = button(text, () => done(job));
    one.dataset.act = `${name} ${job.id}`;
    return [one];
  };
  if (isUnfinished(job)) return job.cancel_requested ? [] : made(load.cancelJob, act.cancel, "cancel");
  const isThere = job.counts.added || job.counts.updated || job.counts.unchanged;
  const ask = isThere ? [link(load.ask, `#/in/${encodeURIComponent(job.collection)}`, "quiet")] : [];
  if (job.state === "succeeded") return ask;
  if (job.state === "cancelled") return [...ask, ...made(load.retryRest, act.retry, "retry")];
  return [...ask, ...made(job.progress.files_total > 1 ? load.retryFailed : load.retry, act.retry, "retry")];
}
