/** The texts of the page in English and Chinese, and which of the two the reader wants. */

const REMEMBERED_AS = "taiyi-rag.language";

export const WORDS = {
  en: {
    otherLanguage: "中文",
    questionLabel: "Your question",
    ask: "Ask",
    notice: "From the loaded documents; no medical advice. Do not enter data that identify a patient.",
    examples: "For example",
    library: (documents) => `Answers come from ${count(documents, "document", "documents")}.`,
    emptyTitle: "No documents yet",
    emptyBefore: "There is nothing to quote from so far. Load a file or a folder on the server with",
    emptyAfter: "then reload this page.",
    searching: "Searching the documents",
    abstained: "No answer",
    failed: "The answer failed",
    closest: "Closest passages",
    sources: "Sources",
    sourceOf: (marker, title) => `Source [${marker}]: ${title}`,
    superseded: "superseded",
    alsoIn: (places) => `Also in ${count(places, "other place", "other places")}`,
    inPart: "most of it",
    evidenceLevel: (level) => `evidence level ${level} of 5`,
    supersededLong: "A newer edition of this document has replaced this one.",
    page: (number) => `page ${number}`,
    considered: (passages) => `${count(passages, "passage", "passages")} considered`,
    confidence: (value) => `confidence ${stated(value)}`,
    verdicts: {
      partial: "partly supported",
      unsupported: "not supported by the sources",
      contradicted: "contradicted by the sources",
      uncited: "without a source",
    },
    conflicts: "The sources disagree",
    newer: "the newer one",
    withheld: (sentences) => `${count(sentences, "sentence", "sentences")} left out: not supported by the sources`,
    source: "Source",
    passage: "Passage",
    close: "Close",
    loading: "Loading the passage",
    facts: {
      publisher: "Publisher",
      edition: "Edition",
      published: "Published",
      section: "Section",
      page: "Page",
      url: "Address",
    },
    before: "Text before the passage",
    after: "Text after the passage",
    notMarked: "The text at this place is no longer the one that was quoted, so nothing is marked. Quoted was:",
    recordedQuote: "The quotation as it was recorded:",
    unreachableTitle: "The service does not answer",
    unreachableDetail:
      "Check that taiyi-rag serve is running on its machine and that this computer reaches it, then try again.",
    unreadableDetail: "The reply is not one of this service. A proxy in between may have sent it.",
    requestId: "Request",
    signInTitle: "Sign in",
    keyField: "Access key",
    signIn: "Sign in",
    signInElsewhere: "Sign in with your institution's account",
    signOut: "Sign out",
    wrongKey: "This key is not known here, has expired or was revoked.",
    documents: "Documents",
    uploadTitle: "Load a document",
    fileField: "File",
    collectionField: "Collection",
    metadataTitle: "What is known of it (optional)",
    titleField: "Title",
    publisherField: "Publisher",
    editionField: "Edition",
    publishedField: "Published (YYYY-MM-DD)",
    urlField: "Address",
    upload: "Load",
    uploading: "Sending the file",
    jobs: "Recently loaded",
    noJobs: "Nothing was loaded yet.",
    loadingJobs: "Loading the list",
    states: {
      queued: "waiting",
      running: "reading",
      succeeded: "done",
      partial: "done in part",
      failed: "failed",
      cancelled: "cancelled",
    },
    outcomes: {
      added: (files) => `${files} added`,
      updated: (files) => `${files} updated`,
      unchanged: (files) => `${files} unchanged`,
      failed: (files) => `${files} failed`,
      queued: (files) => `${files} not read yet`,
    },
    embedded: (passages) => `${count(passages, "passage", "passages")} embedded`,
    flagged: (passages) => `${count(passages, "passage", "passages")} flagged for review`,
    cancel: "Cancel",
    cancelling: "ends after the present file",
    retry: "Retry what failed",
    retryRest: "Read the rest",
    moreFiles: (files) => `and ${files} more`,
  },
  zh: {
    otherLanguage: "English",
    questionLabel: "您的问题",
    ask: "提问",
    notice: "内容以已载入的文献为依据，不构成医疗建议。请勿输入可识别患者身份的信息。",
    examples: "例如",
    library: (documents) => `答案摘引自 ${documents} 篇文献。`,
    emptyTitle: "尚无文献",
    emptyBefore: "目前没有可供引用的内容。请在服务器上载入文件或文件夹：",
    emptyAfter: "然后刷新本页。",
    searching: "正在检索文献",
    abstained: "不作回答",
    failed: "回答失败",
    closest: "最接近的段落",
    sources: "出处",
    sourceOf: (marker, title) => `出处 [${marker}]：${title}`,
    superseded: "已被新版取代",
    alsoIn: (places) => `另见 ${places} 处`,
    inPart: "大部分内容",
    evidenceLevel: (level) => `证据等级 ${level}（共5级）`,
    supersededLong: "该文献已有新版，此版已被取代。",
    page: (number) => `第 ${number} 页`,
    considered: (passages) => `参考了 ${passages} 个段落`,
    confidence: (value) => `置信度 ${stated(value)}`,
    verdicts: {
      partial: "部分有据",
      unsupported: "出处不支持",
      contradicted: "与出处矛盾",
      uncited: "无出处",
    },
    conflicts: "各出处说法不一",
    newer: "较新",
    withheld: (sentences) => `${sentences} 句因出处不支持而未列入`,
    source: "出处",
    passage: "段落",
    close: "关闭",
    loading: "正在载入段落",
    facts: {
      publisher: "发布机构",
      edition: "版本",
      published: "发布日期",
      section: "章节",
      page: "页码",
      url: "网址",
    },
    before: "该段之前的原文",
    after: "该段之后的原文",
    notMarked: "此处的原文与引用时已不一致，因此未作标记。当时引用的是：",
    recordedQuote: "记录在案的引文：",
    unreachableTitle: "服务没有响应",
    unreachableDetail: "请确认服务器上的 taiyi-rag serve 正在运行，且本机能够访问该服务器，然后重试。",
    unreadableDetail: "收到的回复并非来自本服务，可能由中间的代理发出。",
    requestId: "请求编号",
    signInTitle: "登录",
    keyField: "访问密钥",
    signIn: "登录",
    signInElsewhere: "使用机构账号登录",
    signOut: "退出登录",
    wrongKey: "此密钥未知、已过期或已被吊销。",
    documents: "文献",
    uploadTitle: "载入文献",
    fileField: "文件",
    collectionField: "文献集",
    metadataTitle: "已知信息（可选）",
    titleField: "标题",
    publisherField: "发布机构",
    editionField: "版本",
    publishedField: "发布日期（YYYY-MM-DD）",
    urlField: "网址",
    upload: "载入",
    uploading: "正在发送文件",
    jobs: "最近载入",
    noJobs: "尚未载入任何文献。",
    loadingJobs: "正在载入列表",
    states: {
      queued: "等待中",
      running: "读取中",
      succeeded: "已完成",
      partial: "部分完成",
      failed: "失败",
      cancelled: "已取消",
    },
    outcomes: {
      added: (files) => `新增 ${files} 个`,
      updated: (files) => `更新 ${files} 个`,
      unchanged: (files) => `未变 ${files} 个`,
      failed: (files) => `失败 ${files} 个`,
      queued: (files) => `尚未读取 ${files} 个`,
    },
    embedded: (passages) => `已向量化 ${passages} 个段落`,
    flagged: (passages) => `${passages} 个段落待审查`,
    cancel: "取消",
    cancelling: "读完当前文件后结束",
    retry: "重试失败的文件",
    retryRest: "读取其余文件",
    moreFiles: (files) => `另有 ${files} 个`,
  },
};

let language = remembered() || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

/** The texts in the language in use. */
export function words() {
  return WORDS[language];
}

export function currentLanguage() {
  return language;
}

export function otherLanguage() {
  return language === "en" ? "zh" : "en";
}

export function chooseLanguage(chosen) {
  language = chosen;
  try {
    localStorage.setItem(REMEMBERED_AS, chosen);
  } catch {
    // Where the browser keeps nothing, the choice lasts as long as the page.
  }
}

function remembered() {
  try {
    const chosen = localStorage.getItem(REMEMBERED_AS);
    return chosen in WORDS ? chosen : null;
  } catch {
    return null;
  }
}

/** A probability for a reader: nothing is certain, so that none is rounded to 0 or 1. */
function stated(probability) {
  if (probability > 0.99) return "> 0.99";
  return probability < 0.01 ? "< 0.01" : probability.toFixed(2);
}

function count(number, one, many) {
  return `${number} ${number === 1 ? one : many}`;
}
