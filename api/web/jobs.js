/** Draws the jobs: what is being read, what became of what was, and what can be done about it. */

import { flaggedAddress } from "./api.js";
import { element, joined, quoted } from "./dom.js";
import { currentLanguage, words } from "./words.js";

export const FILES_SHOWN = 10;
const UNFINISHED = ["queued", "running"];

export function isUnfinished(job) {
  return UNFINISHED.includes(job.state);
}

/** `act.cancel(job)` and `act.retry(job)` are called by the buttons. */
export function jobNodes(jobs, act) {
  const list = jobs.length
    ? element("ul", { className: "documents jobs" }, ...jobs.map((job) => jobItem(job, act)))
    : element("p", { className: "meta" }, words().noJobs);
  return [element("h2", {}, words().jobs), list];
}

function jobItem(job, act) {
  const files = job.files || [];
  const { files_done: done, files_total: total } = job.progress;
  return element(
    "li",
    { "data-job": job.id, "data-state": job.state },
    element(
      "div",
      { className: "job-head" },
      quoted("p", job.paths.join(", "), "", "title"),
      element("span", { className: `state ${job.state}` }, words().states[job.state]),
    ),
    element("p", { className: "meta" }, summary(job)),
    job.state === "running" ? element("progress", total ? { max: total, value: done } : {}) : null,
    job.error ? quoted("p", job.error, "en", "doubt") : null,
    fileList(files.filter((file) => file.status === "failed"), job.counts.failed || 0, failedFile),
    job.flagged ? element("p", { className: "doubt" }, words().flagged(job.flagged)) : null,
    fileList(files.filter((file) => file.flagged && file.status !== "failed"), 0, flaggedFile),
    ...actions(job, act),
  );
}

function summary(job) {
  const began = new Date(job.created_at);
  return joined([
    ...Object.entries(job.counts).map(([status, files]) => words().outcomes[status](files)),
    job.passages ? words().embedded(job.passages) : null,
    job.collection,
    began.toLocaleString(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }),
    job.cancel_requested && isUnfinished(job) ? words().cancelling : null,
  ]);
}

function fileList(files, total, item) {
  if (!files.length) return null;
  const more = total - files.length;
  return element(
    "ul",
    { className: "places" },
    ...files.map((file) => element("li", {}, ...item(file))),
    more > 0 ? element("li", { className: "meta" }, words().moreFiles(more)) : null,
  );
}

function failedFile(file) {
  return [quoted("span", file.path, "", "marker"), ": ", quoted("span", file.reason, "en")];
}

function flaggedFile(file) {
  const name = quoted("span", file.path, "");
  const counted = `: ${words().flagged(file.flagged)}`;
  if (file.document_id === null) return [name, counted];
  return [element("a", { href: flaggedAddress(file.document_id), target: "_blank", rel: "noopener" }, name), counted];
}

function actions(job, act) {
  if (isUnfinished(job)) return job.cancel_requested ? [] : [button(words().cancel, () => act.cancel(job))];
  if (job.state === "succeeded") return [];
  return [button(job.state === "cancelled" ? words().retryRest : words().retry, () => act.retry(job))];
}

function button(label, onclick) {
  return element("button", { type: "button", className: "quiet", onclick }, label);
}
