"""Orders to software that reads: to set its instructions aside, to become another, to tell what it was told."""

from ingestion.screening_rules.wording import rule

OVERRIDE = rule(
    "ignore ignoring disregard disregarding forget forgetting override overrides overriding bypass "
    "neglect overlook skip discard drop abandon obey obeying follow following dismiss cancel erase "
    "delete suspend break violate unlearn comply complying adhere adhering stop pay give & instruction "
    "instructions instructed prompt prompts directive directives direction directions command commands "
    "order orders rule rules guideline guidelines guardrail guardrails constraint constraints "
    "restriction restrictions policy policies programming context message messages conversation "
    "conversations text texts input inputs question questions query queries task tasks training document "
    "documents passage passages source sources content filter filters setting settings configuration "
    "configurations everything anything all whatever request safety processing page pages instead "
    "attention heed above foregoing preceding aforementioned contrary conflicting other here now",
    "(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|es|ing)|bypass|neglect|overlook|"
    "discard|abandon|dismiss|cancel|erase|delete|suspend|skip|drop|unlearn|(?:do not|don t|never|stop|"
    "must not|should not|no longer|need not) (?:follow(?:ing)?|obey(?:ing)?|comply(?:ing)? with|"
    r"adher(?:e|ing) to)) THE(?:(?:and|or|previous|prior|following|OLD) ){1,3}(?:\w{2,12} ){0,2}ORDERS\b",
    "(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|es|ing)|bypass|dismiss) "
    r"THE(?:\w{2,12} )?ORDERS (?:you (?:were|have|ve|had|are)|above|before|given|so far|from (?:the "
    ")?(?:system|user|developer))",
    "(?:ignore|disregard|forget|bypass|override|break|violate) (?:(?:all|any|every|all of) )?(?:your|the "
    r"user s) (?:\w{2,12} )?(?:instructions?|prompts?|directives?|commands?|rules|guidelines|programming|"
    "training|guardrails|constraints|restrictions|question|query|request|safety|filters?)",
    "(?:ignore|disregard|forget) (?:everything|anything|all|whatever) (?:(?:that )?(?:you|i|we|was|has|"
    "have|is|were)|above|before|prior|previous|said|written|else (?:in|above|you))",
    "^(?:ignore|disregard|forget|override|bypass) (?:all|any|these|those|the|other) (?:other "
    r")?(?:instructions|prompts?|directives|commands|rules)\b",
    r"stop everything\b~\b(?:and|instead|now)\b|stop (?:processing|reading|summari[sz]ing|analy[sz]ing) "
    "(?:the|this|these|all|any) (?:documents?|texts?|context|inputs?|pages?|passages?)",
    r"(?:pay|give) no (?:attention|heed) to THE(?:OLD )?ORDERS\b",
    "^(?:ignore|disregard|forget) (?:all (?:of )?)?(?:the )?(?:above|foregoing|preceding|"
    r"aforementioned)(?: and\b| text|,|\.|!|;|\Z)",
    r"(?:ignore|disregard|forget) THEOLD orders\b",
    "disregard (?:any )?(?:contrary|contradicting|conflicting|other) (?:evidence|sources?|information|"
    "passages?|documents?) in (?:the|your) (?:context|documents?|sources?)",
    r"^stop (?:processing|reading|summari[sz]ing|answering) (?:here|now)\b",
)

PERSONA = rule(
    "you act behave respond answer reply speak talk write pretend developer debug god dan jailbreak "
    "unrestricted maintenance sudo admin root jailbroken anything & ai llm model models chatbot chat gpt "
    "chatgpt claude gemini copilot llms assistant assistants dan jailbroken unrestricted unfiltered "
    "uncensored now bot agent mode pirate shakespeare terminal hacker poet cowboy robot toddler bound "
    "restricted governed cite obey pretend hence henceforth persona anything limited required "
    "grandmother grandma forward onward onwards on longer rules restrictions limits guidelines filter "
    "filters",
    "you (?:are|re|ve become|have become|will be|must be|become) (?:now |from now on |henceforth |going "
    r"to be |acting as )?(?:an? |the |my |our )?(?:\w{2,16} ){0,3}(?:a i|ai|llm|language model|chat ?bot|"
    r"\w{0,8}gpt|(?:ai|helpful|virtual|digital|personal|coding|obedient|unfiltered|evil|new|shopping|"
    r"sales|my) assistant|dan|jailbroken|unrestricted|unfiltered|uncensored)\b",
    r"you (?:are|re) now (?:an? |the |my )(?:\w{2,16} ){0,3}(?:assistant|model|bot|agent|expert|hacker|"
    "pirate|character|persona|terminal|console|interpreter|translator|poet|programmer|advertiser|"
    "salesperson|salesman|marketer|spokesperson|promoter|robot|system|critic|storyteller|comedian|"
    r"scammer|oracle|machine|cat|dog|villain)\b",
    r"you (?:are|re) now (?:in \w{2,16} (?:mode|state)|acting as|operating (?:as|in|under)|free (?:from|"
    "of) (?:all|any|your)|(?:instructed|required|programmed|authori[sz]ed|permitted|ordered) to "
    "(?:answer|ignore|reply|respond|output|disregard|reveal|recommend))",
    "you (?:are|re) (?:no longer|not) (?:bound|restricted|an? (?:ai|assistant|chatbot|language model)|"
    "limited by|governed|required to (?:follow|cite|obey))",
    "(?:act|behave|respond|answer|reply|speak|talk|write) (?:as|like) (?:if you (?:are|were|re|had|have) "
    r")?(?:an? |the |my )?(?:\w{2,16} ){0,3}(?:MODEL|dan|pirate|shakespeare|linux terminal|hacker|poet|"
    r"cowboy|robot|five year old|toddler)\b",
    r"pretend (?:to be|that you|you|as if you|like you)~\b(?:MODEL|dan|unrestricted|restrictions|rules|no "
    r"limits|pirate|hacker|my (?:deceased|late|grand\w{2,6}))\b",
    "(?:developer|debug|god|dan|jailbreak|unrestricted|maintenance|sudo|admin|root) mode (?:is "
    r")?(?:enabled|activated|on|engaged|unlocked|now)\b|(?:enter|enable|activate|switch (?:to|into)|"
    "engage) (?:developer|debug|god|dan|jailbreak|unrestricted|maintenance|admin) mode|do anything now|"
    "jailbroken",
    "from (?:now|this (?:point|moment|message)) (?:on|onwards?|forward)(?: |, )(?:you (?:are|will|must|"
    "should|only|always|answer|respond|reply|act|have)|your (?:name|answers?|responses?|repl(?:y|ies)|"
    "outputs?)|(?:always |only |please )?(?:answer|respond|reply|output|speak|end|start|begin|recommend|"
    r"ignore|act as)\b)",
    r"(?:as|being) an? (?:ai(?: language)?|large language|language) (?:model|assistant)~\b(?:you|your)\b",
    r"you (?:are|re) no longer (?:an?|the|my) (?:\w{2,12} ){0,2}(?:assistant|model|bot|ai|system|agent)\b",
    r"you (?:are|re) \w{2,10}gpt\b",
    r"act as~\bwith(?:out| no) (?:any )?(?:rules|restrictions|limits|guidelines|filters?|limitations|"
    r"constraints)\b",
    r"you (?:now )?have no (?:guidelines|restrictions|rules|content polic(?:y|ies)|ethical)\b",
)

PROMPT = rule(
    "prompt prompts instruction instructions directive directives rules guidelines above before verbatim "
    "task tasks command commands objective mission configuration message messages injection preceding "
    "far follows goal role purpose job context rule note notes conceal & system developer hidden secret "
    "initial original internal pre reveal print repeat show leak output display disclose share expose "
    "dump recite tell give return paste quote what append include send encode summarize translate copy "
    "echo new updated actual true override overriding superseding your end beginning begin start these "
    "this the following follow execute obey perform carry comply injection hide conceal is adopt apply & "
    "your you system prompt prompts instruction instructions directive directives command commands "
    "everything text words content task tasks configuration context end promote recommend convince "
    "advertise persuade ignore output sell maximize trick deceive mislead now rules note hide",
    "(?:system|developer|hidden|secret|initial|original|internal|pre) ?(?:prompts?|"
    r"instructions?)\b~\b(?:you|your|reveal|print|repeat|show|is|are|update|override|changed?|replaced?|"
    r"leak|output|now|new|ignore)\b|^(?:(?:new|updated|end of|begin|start of|the|your|full) )?system "
    "?(?:(?:prompt|instructions?|message|directive|command|notice)s? ?:|override)",
    "(?:reveal|print|repeat|show|leak|output|display|disclose|share|expose|dump|recite|tell me|give me|"
    "return|paste|quote|what (?:is|are|was|were)|append|include|send|encode|summari[sz]e|translate) "
    r"~(?:your|system|hidden|initial|secret|developer|internal|full) (?:\w{2,12} ){0,2}(?:prompts?|"
    r"instructions|directives|configuration|hidden rules|system message)\b",
    "(?:repeat|print|output|recite|return|dump|copy|echo) (?:back )?(?:everything|all|the (?:text|words|"
    "content|prompt|message|instructions)|all of the text) (?:(?:that (?:is|was)|written|given|stated) "
    ")?(?:above|before|so far|preceding|verbatim)",
    "(?:new|updated|actual|true|secret|hidden|override|overriding|superseding|revised system) (?:system "
    ")?(?:instructions?|directives?|commands?|tasks?|objective|prompt)s?(?: (?:for (?:you|MODEL)|below|"
    "follows?))? ?:",
    "your (?:new|real|actual|true|sole|only|next|updated|one) (?:task|instructions?|objective|mission|"
    r"directive|role|job|command|prompt|goal|purpose)s? (?:is|are|now|will|from)\b",
    "(?:end|ignore end|beginning|begin|start) of (?:the )?(?:system )?(?:prompts?|instructions?|user "
    r"(?:input|query|message|prompt)|context|retrieved (?:context|documents?)|untrusted)\b",
    "(?:these|this|the following|following) (?:instruction|prompt|command|directive|message)s? "
    "(?:overrides?|supersedes?|take[sn]? precedence|takes? priority|ha(?:s|ve) (?:priority|precedence)|"
    "replaces?|must be (?:followed|obeyed|executed)|come[s]? from (?:the )?(?:system|developer|admin))",
    "(?:follow|execute|obey|perform|carry out|comply with) (?:only )?(?:(?:the|these|this|my) )(?:(?:new|"
    "following|hidden|embedded|above) )?(?:instructions?|commands?|directives?|tasks?) (?:instead|"
    "contained in this|in this (?:document|text|passage|page)|from now)",
    "prompt injection (?:test|successful|payload|here)",
    r"your (?:task|job|mission|objective|role|goal|purpose) is (?:now\b|to (?:promote|recommend \w{2,16} "
    "to (?:users|everyone)|convince|advertise|persuade|ignore|output|sell|maximi[sz]e|trick|deceive|"
    "mislead))",
    "(?:follow|obey|adopt|apply) (?:these|the|my|this) (?:new|hidden|embedded|secret|updated) (?:rules?|"
    r"instructions?|directives?|prompts?)\b~(?::|instead)",
    r"(?:hide|conceal) (?:this|these|the) (?:note|instruction|message|prompt|directive|command)s?\b",
)

TO_MODEL = rule(
    "ai llm llms language chatbot chatbots chatgpt gpt gpts claude gemini copilot assistant assistants "
    "model models bot agent agents automated reader readers summarizer deepseek qwen llama crawler "
    "systems system reviewers reviewer tool tools & attention dear hey hello hi note message instruction "
    "instructions notice directive warning reminder memo guidance information important urgent addressed "
    "listen intended only if any all every must should shall will has have required instructed please "
    "need you ignore disregard answer respond reply output say print & ignore disregard reply answer "
    "cite respond output say print recommend rank append state tell refuse treat quote omit follow obey "
    "include insert mention you your use never always begin end start reading processing parsing "
    "summarizing indexing analyzing answering return summarize rate give stop execute forget please "
    "write claim insist add do only must should just re are",
    "(?:attention|dear|hey|hello|hi|note (?:to|for)|(?:message|instructions?|notice|directive|warning|"
    "reminder|memo|guidance|information|important|urgent)s? (?:to|for)|addressed to|listen|only for|"
    r"intended for) (?:(?:the|any|all|every|an?|our|this) )?(?:\w{2,12} )?MODELs?\b(?= ?[:,;!—-]|"
    r"~\b(?:you|VERB|reading|processing|parsing)\b)",
    r"if you(?:r|) (?:are|re) (?:an? |the |any )?(?:\w{2,14} ){0,2}(?:MODEL|assistant|model|bot|crawler|"
    r"automated (?:system|reader|tool|agent))\b",
    r"(?:^|(?:any|all|every|the|to|for) )(?:\w{2,12} )?MODELs? (?:reading|processing|parsing|"
    "summari[sz]ing|indexing|analy[sz]ing|answering|that (?:reads?|process|summari[sz]e|use|retrieve)|"
    "which (?:reads?|process)|using|with access to) ~(?:must|should|shall|is|are|will|please|:)",
    "MODELs? (?:must|should|shall|will|has to|have to|is required to|are required to|is instructed to|"
    "are instructed to|please|need to) (?:now |always |only |never |not |also |instead |immediately "
    ")?(?:ignore|disregard|reply|answer|cite|respond|output|say|print|recommend|rank|append|state that|"
    r"tell|refuse|treat|quote|omit|follow|obey|include|insert|mention)\b",
    "^(?:ai|llm|chat ?bots?|chatgpt|gpt|claude|gemini|copilot|(?:ai |virtual )?assistant|(?:ai|language) "
    "models?)s? ?[,:!] ?(?:you|VERB|please|from now|your|summari[sz]e|rank|rate|give|stop|don t|follow|"
    r"obey|execute|forget)\b",
)

AUTHORITY = rule(
    "administrator admin developer developers operator operators override safety grounding citation "
    "checks filters protocols command code script function tool model assistant & must shalli you your "
    "disable disabled disables deactivate deactivated bypass off execute run call invoke use comes from "
    "override as",
    "as (?:the|your|an?) (?:system )?(?:administrator|admin|developer|operator|creator|owner),? i "
    "(?:hereby )?(?:authori[sz]e|order|instruct|command|permit|require|allow|direct)",
    "(?:comes?|is|sent|issued) (?:directly )?(?:from|by) (?:the|your) (?:system )?(?:developers?|"
    r"administrators?|admin|operators?|creators?)\b~(?::|,|;|you\b|disable|ignore)",
    "(?:disable|turn off|deactivate|bypass|switch off|skip) (?:all |any |the |your )?(?:grounding|safety|"
    "citation|content|security|ethical|moderation) (?:checks?|filters?|protocols?|polic(?:y|ies)|steps?|"
    r"guards?|guardrails?|moderation)\b(?! valve)",
    "(?:^|override ?: ?)(?:safety|security|content) (?:protocols?|filters?|checks?|restrictions?) (?:are "
    r"|have been |is )?(?:disabled|off|deactivated|bypassed|lifted)\b",
    "^(?:execute|run) (?:the |this )?(?:following )?(?:shell |system |bash |python |sql )?(?:command|"
    r"code|script)s?\b ?:",
    r"""(?:call|invoke|use|execute) (?:the )?(?:function|tool) [\"'`]?\w{1,20}_\w{1,20}""",
    """(?:the|this|every|any) (?:ai |language )?(?:model|assistant) (?:must|shall) (?:now |always |"""
    """only |never |not |instead )?(?:output|print|reply|respond|append|cite|ignore|answer) (?:only|"""
    r"""with|the (?:string|word|phrase|following|text)|[\"“'])""",
)

ROLES = rule(
    "assistant system user human ai developer tool message chatbot & assistant you your ignore disregard "
    "forget override new always never answer reply respond print output from repeat reveal instruction "
    "sure of as recommend update bot model ai the all",
    r"(?:\A|[\n.!?>)\"”」』\]])\W{0,3}(?:assistant|developer message|ai assistant|chatbot) ?:\s",
    r"(?:\A|[\n.!?>)\"”」』\]])\W{0,3}(?:system|user|human|ai|developer|tool)(?: (?:message|prompt|note|"
    r"notice|alert|override))? ?:\W{0,4}(?:\[|you\b|your\b|ignore|disregard|forget|override|new|always|"
    "never (?:cite|mention|answer|reveal)|answer|reply|respond|print|output|from now|the user|the "
    "assistant|repeat|reveal|instruction|all previous|sure|of course|as an ai|recommend to|update)",
)

OTHER_LANGUAGES = rule(
    "ignora ignore ignorez ignoriere ignorieren olvida oubliez oublie vergiss ignorar ignorer negeer "
    "desconsidere instrucciones instructions anweisungen instrucoes istruzioni dimentica",
    "(?:ignor(?:a|e|ez|ar|er|iere|ieren)|olvid(?:a|e)|oubli(?:e|ez)|vergiss|desconsidere|dimentica|"
    "negeer) ~(?:instrucciones|instructions|anweisungen|instrucoes|istruzioni|instructies|consignes|"
    "vorgaben) ~(?:anteriores|previas|precedentes?|ci dessus|oben|oberen|acima|previos|sistema|systeme|"
    "precedenti|hierboven)?",
)

READER_RULES = (
    OVERRIDE,
    PERSONA,
    PROMPT,
    TO_MODEL,
    AUTHORITY,
    ROLES,
    OTHER_LANGUAGES,
)
