/** The view in which documents are loaded: the form and, below it, the jobs, which it keeps up to date while open. */

import * as api from "./api.js";
import { element } from "./dom.js";
import { FILES_SHOWN, isUnfinished, jobNodes } from "./jobs.js";
import { problemBox } from "./problem.js";
import { words } from "./words.js";

const METADATA = ["title", "publisher", "edition", "published", "url"];

/** Takes over `form` and `said`, the place for what it has to say. `redraw()` is called when the jobs have changed. */
export function loadingView(form, said, redraw) {
  let jobs = [];
  let stopFollowing = () => {};
  let isOpen = false;

  async function load(signal) {
    jobs = await api.jobs(FILES_SHOWN, signal);
    return jobs;
  }

  /** Listens to the job that is at work, the oldest that has not ended. */
  function follow() {
    stopFollowing();
    const current = jobs.findLast(isUnfinished);
    stopFollowing = current ? api.followJob(current.id, replace, refresh) : () => {};
  }

  function replace(changed) {
    jobs = jobs.map((job) => (job.id === changed.id ? { files: job.files, ...changed } : job));
    redraw();
  }

  function refresh() {
    return attempt(async () => {
      await load();
      if (!isOpen) return;
      redraw();
      follow();
    });
  }

  /** Does something and shows the problem where it fails. */
  async function attempt(act) {
    said.replaceChildren();
    try {
      await act();
      return true;
    } catch (problem) {
      if (!(problem instanceof api.Problem)) throw problem;
      said.replaceChildren(problemBox(problem));
      return false;
    }
  }

  async function send() {
    const stated = METADATA.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value);
    const body = new FormData();
    body.append("file", form.elements.file.files[0]);
    body.append("collection", form.elements.collection.value.trim());
    body.append("metadata", JSON.stringify(Object.fromEntries(stated)));
    const sending = attempt(() => api.upload(body));
    said.replaceChildren(element("p", { className: "meta" }, words().uploading));
    if (!(await sending)) return;
    const collection = form.elements.collection.value;
    form.reset();
    form.elements.collection.value = collection;
    await refresh();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  const act = {
    cancel: (job) => attempt(() => api.cancelJob(job.id)).then((done) => done && refresh()),
    retry: (job) => attempt(() => api.retryJob(job.id)).then((done) => done && refresh()),
  };

  return {
    load,
    draw: () => ({ home: jobNodes(jobs, act) }),
    opened: () => {
      isOpen = true;
      follow();
    },
    closed: () => {
      isOpen = false;
      stopFollowing();
      said.replaceChildren();
    },
  };
}
