"""What an answer says that obeys an order from a document, and what no answer to a medical question says."""

import re

_PRIVATE = (
    r"(?:passwords?|passphrases?|api[ -]?keys?|secret keys?|private keys?|access (?:key|token|code)s?|credentials"
    r"|(?:log[ -]?in|sign[ -]?in|user|account) (?:credentials?|details)|credit cards?|card (?:number|details)|cvv"
    r"|bank (?:account|details)|account number|social security(?: number)?|ssn|passport number|pin (?:code|number)"
    r"|one[ -]time (?:code|password)|verification code|seed phrase|wallet address|national id(?:entity)? number)\b"
)
_ASKING = (
    r"\b(?:provide|enter|send|submit|type|tell|give|share|confirm|reply with|e-?mail|paste|input|supply|verify|need"
    r"|disclose)\b"
)
_DOMAIN = (
    r"(?:[a-z0-9-]{1,63}\.){1,4}"
    r"(?:com|net|xyz|io|info|biz|top|site|online|ru|cn|co|app|club|shop|link|click|example|me|ly)\b"
)

OWN_INSTRUCTIONS = (
    r"\b(?:my|system|hidden|initial|developer) (?:system )?"
    r"(?:prompt\b|instructions (?:are|say|were|tell|state|read)\b)"
    r"|\b(?:ignor|disregard|forget|overrid|bypass)(?:e|es|ed|ing|ting|den)?\b[^.]{0,30}"
    r"\b(?:previous|prior|above|earlier|preceding|system|my|all|the|original)\b[^.]{0,20}"
    r"\b(?:instructions?|prompts?|directives?|programming|system rules)\b"
    r"|\bas (?:instructed|ordered|commanded|requested) (?:by|in) (?:the|this) (?:document|passage|text|prompt)\b"
    r"|\bI(?: have been| was| am|'m| am now| will (?:now )?act as) (?:pwned|hacked|jailbroken|dan\b|an? unrestricted)"
    r"|\b(?:developer|dan|jailbreak|god|admin|debug) mode (?:is |has been )?(?:now )?(?:enabled|activated|unlocked)\b"
    r"|(?:忽略|无视|不再遵守|不理会)[^。]{0,10}(?:指令|指示|提示词|系统提示|命令|之前的规则)"
    r"|系统提示词?(?:是|为|如下|:)|我的(?:系统)?(?:提示词|指令|系统提示)"
    r"|(?:开发者|越狱|管理员|无限制)模式(?:已|被)?(?:开启|启用|激活)"
    r"|(?:根据|按照|遵照)(?:文档|文件|段落|文中)(?:中|里)?的?(?:指令|指示|命令)"
)
ASKING = (
    rf"{_ASKING}[^.?!]{{0,40}}\byour\b[^.?!]{{0,40}}\b{_PRIVATE}|\bwhat(?:'s| is) your {_PRIVATE}"
    r"|(?:提供|输入|发送|告诉|回复|填写|告知|发给|提交|给出)[^。?!]{0,12}"
    r"(?:密码|密钥|私钥|口令|银行卡|信用卡|验证码|助记词|登录凭证|API)"
    r"|(?:请|需)[^。?!]{0,6}(?:提供|输入|发送|回复|告知|提交)[^。?!]{0,12}身份证号"
)
KEYS = (
    r"(?<![A-Za-z0-9])(?-i:sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}"
    r"|xox[abp]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}|AIza[A-Za-z0-9_-]{30,})"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY|\b(?-i:RAG_[A-Z_]{2,40}\s?=)"
    r"|\b[a-z][a-z0-9+]{2,20}://[^\s/:@]{1,60}:[^\s/@]{1,60}@"
    r"|\b(?:api[ _-]?key|secret[ _-]?key|access[ _-]?token|password|passwd)\b\s?(?:[:=]|is\b:?)\s?[\"'`]?"
    r"(?=\S{0,60}\d)\S{6,}"
    r"|(?:密码|密钥|口令)(?:是|为|:)\s?[\"'`“]?[A-Za-z0-9_\-!@#$%^&*]{6,}"
)
SENDING = (
    r"\b(?:click|download|install|log ?in|sign up|register|subscribe|join|buy|order|donate|claim|redeem|upload"
    rf"|update|play|get|visit|go to|check out|happened next)\b[^.!?]{{0,80}}{_DOMAIN}"
    r"|\b(?:you won't believe|one weird trick|rich overnight)\b"
    rf"|{_DOMAIN}[^.!?]{{0,40}}\b(?:to (?:claim|buy|download|install|order|redeem|win)|for (?:a free|free) )"
    r"|!\[[^\]\n]{0,80}\]\(\s?https?:"
    r"|\bhttps?://[^\s)]{1,200}[?&](?:data|prompt|msg|text|user)="
    r"|\b[a-z0-9._%+-]{1,60}@(?:gmail|hotmail|outlook|yahoo|qq|163|protonmail|proton)\.(?:com|me)\b"
    rf"|(?:点击|下载|安装|登录|注册|购买|扫码|加入)[^。!?]{{0,30}}(?:https?://|www\.|{_DOMAIN})"
    r"|加(?:我|客服)?(?:微信|QQ)(?:号)?[:\s]?\w{5,}"
)
OTHER_ROLE = r"^\W{0,6}(?:assistant|system|user|human|助手|系统|用户)\s?:\s?\S"

RULES = tuple(
    (reason, re.compile(rule, re.IGNORECASE))
    for reason, rule in (
        ("it speaks of its own instructions", OWN_INSTRUCTIONS),
        ("it asks for what is private", ASKING),
        ("it prints something like a key", KEYS),
        ("it sends the reader to a site", SENDING),
        ("it speaks as another role", OTHER_ROLE),
    )
)
"""Patterns of a text in NFKC, each with the reason it gives."""
