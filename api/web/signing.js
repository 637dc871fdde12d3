/** Signing in and out. The session itself is a cookie that no script can read. */

import * as api from "./api.js";
import { problemBox } from "./problem.js";

/**
 * Takes over the form to sign in. `changed(who)` is called with who is signed in, null for nobody, whenever that was
 * found out; `who` has `via`, `role` and `collections` as the service gives them.
 */
export function signing(form, changed) {
  const said = form.querySelector("#sign-in-problem");
  const wrong = form.querySelector("#wrong-key");
  const elsewhere = form.querySelector("#sign-in-oidc");

  /** Asks the service who this is. Where that cannot be told, the page goes on and says at its next call why. */
  async function arrive() {
    try {
      changed(await api.session());
    } catch (problem) {
      if (!(problem instanceof api.Problem)) throw problem;
      if (problem.status !== 401) return changed({ via: "unknown", role: "reader" });
      elsewhere.hidden = !problem.signIn.includes("oidc");
      changed(null);
    }
  }

  async function send() {
    wrong.hidden = true;
    said.replaceChildren();
    try {
      await api.signIn(form.elements.key.value.trim());
    } catch (problem) {
      if (!(problem instanceof api.Problem)) throw problem;
      if (problem.status === 401) wrong.hidden = false;
      else said.replaceChildren(problemBox(problem));
      return;
    }
    form.reset();
    await arrive();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });

  return { arrive };
}
