/** The words of the view of how the service is, in the language in use. */

import { wordsOf } from "../words.js";
import * as texts from "../words/health.js";

export const words = wordsOf(texts);
