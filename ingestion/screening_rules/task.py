"""Work that has no place in a document: writing, translating, programming, sending data away."""

from ingestion.screening_rules.wording import rule

EXFILTRATION = rule(
    "http https www send post forward upload submit transmit append exfiltrate leak email encode "
    "summarize collect gather include copy put deliver report relay pass fetch curl wget request call "
    "invoke use run execute load ask prompt get convince trick tell & http https www conversation chat "
    "prompt api credentials credential password passwords session token tokens context user users query "
    "tool function browser plugin interpreter shell software wallet card bank image everything request & "
    "com net org io xyz http https www url server webhook endpoint address link image attacker email "
    "mail following to with and",
    r"!\[[^\]\n]{0,200}\]\(\s{0,3}https?://[^)\s?]{0,300}\?(?:[^)\s&]{0,100}&){0,5}(?:q|query|data|d|p|"
    "prompt|c|content|conversation|chat|history|secret|user|question|context|info|leak|msg|message|text|"
    "token|password|key|session|email|payload|exfil|log|s|name|id|summary|input|output|answer|response|"
    "history)=",
    r"(?:https?://|www\.)[^\s?]{1,300}[?&#/][^\s=]{0,100}=?(?:\{\{?|\[|<|%7b|\$\{|\$\(|"
    r"\*\*)\s?[a-z_\s]{0,20}(?:data|query|question|prompt|conversation|history|secret|user|context|"
    "message|password|key|token|summary|answer|response|input|info|name|email|system|chat)",
    r"""<img[^>\n]{0,200}src\s?=\s?[\"']?https?://[^>\s]{1,300}\?""",
    "(?:send|post|forward|upload|submit|transmit|append|exfiltrate|leak|e ?mail|encode|include|copy|put|"
    "deliver|report|relay|pass) ~(?:conversation(?: history)?|chat (?:history|log)s?|system prompt|api "
    "keys?|credentials?|passwords?|session (?:token|data|id)s?|access tokens?|context window|user (?:s "
    ")?(?:question|query|data|input|name|details|message|prompt|information|credentials|request)s?|"
    "(?:your|previous|above|all) (?:context|instructions|messages|conversation|prompt)|this "
    "(?:conversation|chat)|everything (?:above|you know)) ~(?:to|in|into|via|as|onto|with) ~(?:https?|"
    r"www|url|server|webhook|endpoint|address|query string|parameter|link|image|@|\w{2,30}\.(?:com|net|"
    r"org|io|xyz|ru|cn|dev|app|me|co)\b|attacker|e ?mail|following)",
    "(?:fetch|curl|wget|http get) ~(?:https?|www)|(?:make (?:a|an) (?:http |get |post |web )?request to|"
    "send (?:a|an) (?:http |get |post |web )?request to|load (?:the|this) image from)~(?:https?|www|:)|"
    r"(?:call|invoke|use|run|execute) (?:the|your) (?:\w{2,16} )?(?:tool|function|browser|plugin|code "
    "interpreter|shell|api)s? (?:to|with|and) (?:send|fetch|post|delete|e ?mail|visit|open|download|call|"
    r"execute|retrieve|https?|read|forward|transfer|buy|order|run)\b",
    "(?:ask|prompt|get|convince|trick|tell|request) (?:the |any )?(?:users?|them|him|her|readers?) "
    "(?:for|to (?:enter|provide|give|share|reveal|send|type|confirm|submit|click|visit|install|download|"
    r"log)) ~(?:passwords?|credit card|api key|social security|bank|credentials|pin\b|login|https?|www|"
    r"link|software|app\b|crypto|wallet)",
    "(?:summari[sz]e|collect|gather|take|copy|encode|read) ~(?:conversation|chat|context|user (?:s "
    ")?(?:data|input|details|question|query)) ~(?:send|append|post|forward|upload|e ?mail|add) (?:it|"
    r"them|this|that|the (?:result|summary)) ~(?:to|in|into|via)\b",
)

TASK = rule(
    "write draft compose generate craft make come create invent produce tell give plan suggest recommend "
    "list analyze analyse determine classify identify what prepare & story stories poem poetry essay "
    "haiku limerick song lyrics sonnet joke jokes blog tweet tweets caption slogan headline screenplay "
    "film monologue riddle rap ballad fairy fairytale novel fiction letter press advertisement ad sales "
    "product phishing business meme trip vacation itinerary party wedding holiday menu name names title "
    "titles movie movies book books restaurant restaurants gift recipe recipes songs sentiment shopping "
    "todo packing grocery guest",
    "^(?:write|draft|compose|generate|craft|make up|come up with|invent|create|produce|tell|give)(?: me| "
    r"us)? (?:an?|the|some|two|three|four|five|ten|\d{1,3})? ?(?:\w{2,16} ){0,4}(?:story|stories|poem|"
    "poetry|essay|haiku|limerick|song|lyrics|sonnet|jokes?|blog post|tweets?|caption|slogan|headline|"
    r"screenplay|short film|monologue|riddle|rap|ballad|fairy ?tale|novel(?= about| set|\W?\Z)|fan "
    "?fiction|cover letter|press release|love letter|advertisement|ad copy|sales pitch|product "
    r"description|phishing \w{2,8}|business plan|meme)\b",
    r"^plan (?:an? |my |our )~\b(?:trip|vacation|itinerary|party|wedding|holiday|menu)\b",
    r"^(?:suggest|recommend|give me|list) (?:an? |some |\w{2,6} )?(?:\w{2,12} )?(?:names?|titles?|movies?|"
    r"books?|restaurants?|gift ideas?|recipes?|songs?) (?:for (?:a|my|our)|about|to watch|to read)\b",
    r"^(?:analy[sz]e|determine|classify|identify|what is) the sentiment (?:of|in|expressed)\b|^(?:create|"
    r"make|write|prepare) (?:an? |my )?(?:shopping|to ?do|packing|grocery|guest) list\b",
)

TRANSLATION = rule(
    "translate say equivalent translation what & english french spanish german italian chinese mandarin "
    "japanese korean russian latin portuguese arabic hindi dutch greek polish turkish swedish pirate "
    "klingon",
    """translate (?:this|the following|that|the above|these|your (?:answer|response|reply)|the """
    r"""(?:sentence|phrase|word|text|document|passage|paragraph)|[\"“'‘«]\w)~\b(?:in|to|into)\b """
    """?LANGUAGE""",
    r"""(?:LANGUAGE) (?:equivalent|translation) (?:of|for) [\"“'‘«]|how (?:do|would|can|to) (?:you |i |"""
    r"""one )?say [\"“'‘«]~(?:in LANGUAGE|\?)|what(?: is| s|s) [\"“'‘«]~[\"”'’»] in LANGUAGE""",
)

PROGRAMMING = rule(
    "write explain provide show give how describe debug fix implement create demonstrate refactor what "
    "generate develop code build set & python javascript typescript java php mysql sql c html css golang "
    "bash regex linked binary recursion recursive sorting database rest react django web capital "
    "currency weather",
    "^(?:write|explain|provide|show|give|how|describe|debug|fix|implement|create|demonstrate|refactor|"
    r"what|generate|develop|code|build|set up)\b~\b(?:python|javascript|typescript|java|php|mysql|sql|"
    r"c\+\+|html|css|golang|bash script|regex|linked list|binary search|recursion|recursive function|"
    "sorting algorithm|(?:database|rest api|react|django|web) (?:connection|endpoint|app|component|"
    r"server|scraper))\b",
    r"^what(?: is| s|s) the (?:capital|currency) of\b|what(?: is| s|s) the weather (?:in|like|today|"
    "forecast)",
)

TASK_RULES = (
    EXFILTRATION,
    TASK,
    TRANSLATION,
    PROGRAMMING,
)
