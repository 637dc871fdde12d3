"""Orders on what software is to answer, how it is to word that, and what it is to cite."""

from ingestion.screening_rules.wording import rule

ITS_ANSWER = rule(
    "answer answers response responses reply replies output outputs message messages completion "
    "completions summary summaries answering responding replying summarizing summarising generating "
    "respond summarize style like",
    "(?:in|to|of|with|from|into|within|throughout|inside|across|at|after|before|between|around|atop|"
    "under) (?:each of |every one of |all (?:of )?|both of |one of )?your (?:(?:final|next|entire|whole|"
    r"full|own|main|first|last|every|current|future|upcoming|subsequent|complete|output) )?ANSWER\b(?! "
    r"?(?:\)|from|to (?:the |this |these |that |any |your )?(?:treatment|therap|drug|medic|stress|pain|"
    "infect|vaccin|allerg|exercise|insulin|food|situation|illness|disease|question|patient|chemo|immun|"
    "doctor|item|each|above|quiz)|will (?:help|determine|show|depend)|key|options?|sheet|rate|book))",
    "(?:modify|enhance|augment|use|provide|begin|start|end|finish|conclude|open|close|preface|prefix|"
    "sign|change|alter|adjust|format|write|give|make|encode|encrypt|decode|reverse|scramble|jumble|"
    "translate|convert|transform|turn|deliver|present|craft|phrase|rephrase|rewrite|structure|style|"
    "limit|restrict|shorten|keep|conceal|hide|spell|misspell|anagram|cipher|supplement|tailor|expand|"
    "extend|fill|pad|flood|lace|infuse|enrich|season|spice|adapt|embellish|amend|edit|revise|"
    "customi[sz]e|replace|repeat|duplicate|append|prepend|interrupt|stop|send|post|render|express|"
    "compose|frame|construct|formulate|shape|mask|obfuscate|group|capitali[sz]e|compress|base|shift|"
    "mirror|randomi[sz]e|shuffle|garble|corrupt|combine|separate|split|output|return|print|say|state|"
    r"finalize|wrap|cast|steer|skew|bias) (?:all (?:of )?|every |each of |the \w{2,10} of )?your "
    r"(?:(?:final|next|entire|whole|full|own|every|future|subsequent|complete|usual) )?ANSWER\b(?! ?(?:to "
    "(?:the |this |these |your )?(?:treatment|therap|drug|medic|stress|pain|infect|vaccin|allerg|"
    "exercise|insulin|food|situation|illness|disease|patient|chemo|doctor|question|each|item)|by "
    "(?:citing|referring)|key|sheet))",
    "your (?:(?:final|next|entire|whole|full|every|only|complete) )?(?:answer|response|reply|output|"
    "completion|summary) (?:must|should|shall|needs to|has to|is to|will only|can only|may only) "
    "(?:always |only |also |not |never |instead )?(?:be|begin|start|end|include|contain|consist|mention|"
    "recommend|say|read|state|cite|use|conclude|promote|rhyme|omit|exclude|appear|avoid|claim|argue|"
    r"praise|warn|tell|ignore|deny|assert|sound|advertise|encourage)\b",
    "(?:^|[,;:] )(?:in|to|within|with|for) (?:the|each|every|all|any|this|that) (?:final |next |"
    "following |future |subsequent |generated |entire )?(?:answers?|responses?|repl(?:y|ies)|outputs?|"
    "completions?),? (?:please |always |also |only |you (?:must|should) )?(?:add|append|include|insert|"
    r"mention|say|state|use|replace|write|recommend|suggest|promote|claim|tell|link|put|omit|refer)\b",
    "(?:add|append|insert|include|embed|put|prepend|attach|integrate|incorporate|weave|slip|mention) "
    "~(?:to|in|into|at (?:the )?(?:end|start|beginning|bottom|top) of|within) (?:the|each|every|all|any) "
    "(?:final |generated |next |following |future )?(?:answers?|responses?|repl(?:y|ies)|outputs?|"
    r"completions?)\b(?! ?(?:options?|keys?|sheets?|rates?|variables?|choices?|of (?:the )?(?:patient|"
    "model|system|pump)))",
    "^(?:when|before|after|while|if) (?:you (?:are )?)?(?:answering|responding to|replying to|"
    "summari[sz]ing|generating|answer|respond to|summari[sz]e) (?:any|the|this|these|a|an|all|every|"
    r"users?|with|questions?|quer\w{1,4}|about|from)~(?:, |: )(?:please |always |also |only |never |do "
    r"not |don t |you (?:must|should|will) |instead )?VERB\b",
    "^(?:use|spell|write|insert|include|add|put|advertise|mention|embed|hide|place|replace|print|repeat|"
    "promote|recommend|claim|state|say|append|capitali[sz]e|reverse|translate|format|encode|scramble) "
    "~(?:in|of|to|within|throughout|into|at the end of|before|after|inside) (?:the|this|each|every|any|"
    r"all) (?:answers?|repl(?:y|ies)|outputs?|responses?)(?:(?= ?[.!;,:])|\Z| you (?:give|write|produce|"
    "generate)| (?:backwards?|in reverse|with|as|into|using))",
    "(?:end|begin|start|finish|conclude|open|close|preface|sign off) (?:every|each|all|any|the) (?:of "
    "your )?(?:final )?(?:answers?|responses?|repl(?:y|ies)|messages?|outputs?|summary) (?:with|by|using|"
    r"in)\b",
    "(?:keep|make|limit) (?:your|the) (?:answers?|responses?|repl(?:y|ies)|outputs?) (?:under|below|"
    r"short|to (?:one|two|three|\d)|brief|rhyme|sound|in\b|as\b)",
    "in the style of (?:shakespeare|a pirate|dr seuss|yoda|hemingway|a poem|a rap|trump)|(?:speak|talk|"
    "answer|respond|reply|write) (?:only )?like (?:a|an) (?:pirate|robot|cowboy|child|toddler|poet|"
    "rapper)",
)

LETTERS = rule(
    "letter letters vowel vowels consonant consonants word words character characters sentence sentences "
    "spaces punctuation",
    "^(?:replace|substitute|swap|exchange|convert|encode|encrypt|shift|scramble|reverse|jumble|rearrange|"
    "capitali[sz]e|misspell|anagram|spell|remove|drop|double|write|turn|flip|rotate|delete|repeat) "
    r"(?:out )?(?:every|each|all|all the|the|some|random|certain|any) (?:\w{2,12} ){0,2}(?:letter|vowel|"
    "consonant|word|character|sentence|space|punctuation(?: marks?)?|digit)s?(?: (?:of|in|from) (?:each|"
    "every|all|the) (?:words?|sentences?|text|letters?))? (?:with|by|into|to|using|for|backwards?|in "
    r"reverse|as|twice|alphabetically)\b",
)

CONTROL = rule(
    "only exactly exclusively solely nothing always word words just reply respond answer output print "
    "verbatim regardless matter asked user users someone anyone queried say return write tell mention "
    "reveal disclose acknowledge admit refer repeat refuse instead give & reply respond answer output "
    "outputs print return user users asked asks say says repeat regardless matter verbatim queried "
    "questioned prompted instruction instructions prompt prompts question questions answering "
    "summarizing responding replying citing review reviews",
    r"""(?:^|[,\"”] ?|(?:please|must|should|always|you|then|and|instead|to|will|shall|simply|"""
    """immediately) )(?:reply|respond|answer|output|print|return|say|write) (?:(?:back|to (?:the user|"""
    r"""this|everything|all \w{2,10}|any \w{2,10})) )?(?:(?:only|just|solely|exclusively|nothing but|"""
    """exactly|with only|with just|with nothing but|with exactly|simply|always)(?: (?:with|in|using|by """
    r"""saying))? )(?:the (?:following|word|words|phrase|text|sentence|string|number|letter)|yes|no\b|"""
    r"""\W?[\"“'‘「]|one word|a single word|a (?:poem|haiku|joke|song|link)|LANGUAGE|json|emojis?|morse|"""
    """base ?64|rhymes?|haiku|numbers|all caps|capital)""",
    """(?:reply|respond|answer|output|print|return) (?:only |exclusively |solely |always )?(?:with|in|"""
    """using|by (?:saying|printing)) (?:only |just |exactly |nothing but |a single |the single """
    """)?(?:the (?:word|words|phrase|sentence|string|text|following (?:text|words?|sentence|phrase|"""
    r"""message|string|link))\b|[\"“'‘「]\w|LANGUAGE\b|emojis?\b|morse|base ?64|rot ?13|rhymes?\b|haiku|"""
    r"""json\b|all caps|capital letters|pig latin|i (?:can t|cannot|do not|don t|have been|am)\b)""",
    r"^(?:reply|respond|output) (?:only|exclusively|solely|just) (?:with|in|using|by)\b|^(?:print|output) "
    r"(?:exactly|the following|the (?:word|words|phrase|string|text|sentence))\b|^answer (?:only|"
    r"exclusively) (?:with|in|using|by)\b|(?:and|then|instead|simply|to) just (?:print|output|reply|"
    r"respond|return)\b",
    r"""^(?:you (?:must|should|will) )?say exactly(?: ?:| [\"“'‘「]| the| this)|(?:respond|reply|answer|"""
    r"""output) (?:exactly|verbatim|nothing)\b(?: ?:| else| but| with| as)|(?:output|print|write|say) """
    """nothing (?:else|but)""",
    r"repeat (?:the|this) (?:word|words|phrase|sentence)~(?:forever|indefinitely|endlessly|\d{2,} times|"
    "in (?:your|the|every|each) ANSWER)",
    "(?:when|whenever|if|once|any ?time) (?:(?:you(?:r)? (?:are|re) )?(?:asked|questioned|queried|"
    "prompted)|(?:the|a|any|an|another) (?:user|end user|human|reader|querent)s? (?:asks?|queries|"
    "requests|inquires|wants|types|mentions|says)|(?:some|any)(?:one|body) asks? (?:you "
    r")?)[^.!?\n]{0,80}?(?:, |: |then )(?:please |always |simply |just |you (?:must|should|will|shall) "
    "(?:always |only )?|instead |only |do )?(?:say|answer|reply|respond|state|claim|output|recommend|"
    "tell (?:them|the user|him|her)|insist|deny|provide|return|refuse|direct|mention|link|ignore|cite|"
    r"print|promote|suggest|give)\b(?! (?:honestly|truthfully|openly|calmly|in an?|them (?:the )?(?:truth|"
    "information)))",
    "(?:tell|convince|persuade|trick) (?:the|any|every|this) (?:end )?user (?:that|to|they|their|he|she|"
    r"about|not|in|it)\b|(?:inform|urge|instruct|warn|notify|direct|redirect|ask|advise|encourage|"
    "recommend) (?:to )?(?:the|any|every|this) (?:end )?user (?:that (?:their|your|the) (?:session|"
    "account|password|subscription|browser)|to (?:visit|click|buy|download|install|call|send|enter|"
    "provide|pay|contact|subscribe|purchase|share|stop|ignore|trust|email|text|donate|sign|log|open|"
    r"go))\b",
    "(?:the|this|that|a) user (?:s )?(?:asked|is asking|question|query|asks|request(?:ed|s)|prompt|wants "
    r"you|has (?:asked|requested|authori[sz]ed|consented|approved))\b~(?:you|ignore|answer|instead|VERB)\b",
    "regardless of (?:what|the|any|which) (?:question|query|prompt|user|the user|you are asked|is asked|"
    r"topic asked)s?\b|no matter what (?:the (?:user|question|query|prompt)|you (?:are|re) asked|(?:is|"
    "was) asked|(?:anyone|someone|they|users?) asks?)",
    "(?:do not|don t|never|must not|should not) (?:tell|inform|alert|warn|let|notify|reveal (?:this )?to|"
    r"disclose (?:this )?to|mention (?:this |it )?to|show) (?:the |any |this )?users?\b",
    "(?:do not|don t|never) (?:mention|reveal|disclose|acknowledge|admit|repeat|discuss|refer to|show) "
    "(?:that |any of |anything about )?(?:this (?:instruction|prompt|message|note|command|directive|"
    "request|text|passage)|these (?:instructions|commands|rules|directives)|the (?:above|previous|system|"
    r"existence of this|existence of these|instructions|prompt)|you(?: are| were| have|r instructions))\b",
    "^(?:answer|reply to|respond to) (?:every|all|each|any|the user s|all of the) (?:following |user |"
    "future |other )?(?:questions?|quer(?:y|ies)|prompts?|messages?|requests?|inputs?) (?:with|by|using|"
    r"incorrectly|wrongly|as if|in LANGUAGE|exactly)\b",
    r"^(?:answer|respond|reply)~\b(?:incorrectly|wrongly|falsely|with (?:false|wrong|fabricated|made up)|"
    r"without (?:citing|citations?|evidence|sources|references|checking))\b",
    "^(?:refuse to|do not|don t|never) (?:answer|respond to) (?:the user|this question|the question|any "
    "(?:question|quer|user|other)|user)",
    r"instead of (?:answering|summari[sz]ing|responding|replying|citing|the answer|your answer)\b~(?:, ?|"
    r"\b)(?:VERB|do|provide|give|tell|output|the following)\b",
    r"give (?:only )?(?:an? )?(?:positive|glowing|favou?rable) reviews?(?: only)?\b",
)

SOURCES = rule(
    "cite citing cited citation citations source sources document documents passage passages quote "
    "quoting reference references referencing text texts page chunk chunks snippet snippets context "
    "content statement message footnotes disclaimers disclaimer warnings results claims & do don never "
    "must not without stop avoid refrain skip only first above over as treat this other remaining any "
    "all drop leave remove suppress hide omit & cite citing quote quoting reference referencing giving "
    "give providing provide including include adding add showing show mention mentioning list listing "
    "use trust rely consult consider read retrieve search look follow believe prefer rank return "
    "prioritize treat ranked relevant trusted cited wrong false outdated incorrect ignored disregarded "
    "unreliable untrusted malicious fake compromised reliable correct valid skip omit drop leave remove "
    "suppress hide",
    "(?:do not|don t|never|must not|should not|without|stop|avoid|refrain from|no need to|skip) "
    "(?:cit(?:e|ing)|quot(?:e|ing)|referenc(?:e|ing)|giv(?:e|ing)|provid(?:e|ing)|includ(?:e|ing)|"
    "add(?:ing)?|show(?:ing)?|mention(?:ing)?|list(?:ing)?) (?:(?:any|the|a|other|your|these|those|its|"
    "further|this) ){0,3}(?:sources?|documents?|passages?|citations?|references?|footnotes?|disclaimers?|"
    r"warnings? or)\b",
    r"(?:do not|don t|never) (?:cite|quote)\b(?! (?:or|as|without|before|prior)\b| (?:the )?(?:price|"
    "prices|cost|costs|odds|figures|statistics|numbers))",
    "(?:do not|don t|never|must not) (?:use|trust|rely on|consult|consider|read|retrieve|search|look at|"
    "follow|believe) (?:any |the |all )?(?:other|remaining|rest of the|retrieved|provided|previous|above|"
    "preceding) (?:sources?|documents?|passages?|citations?|context|text|chunks?|snippets?|search "
    r"results|results above)\b(?! of\b)",
    "(?:cite|quote|trust|prefer|rank|return|retrieve|prioriti[sz]e|rely on|use|believe|follow) (?:only |"
    "exclusively |solely )?(?:this|the present) (?:document|passage|text|source|page|chunk|snippet)s? "
    "(?:as (?:the|your)|first|only|above|over|instead|exclusively|for (?:all|every|any)|when|before|and "
    "(?:no|ignore|nothing))",
    "(?:cite|quote|trust|rely on|use|rank|retrieve) (?:only|exclusively|solely) (?:this|the following) "
    r"(?:document|passage|text|source|page|chunk|snippet)\b",
    "treat (?:this|the following|these|all) (?:document|passage|text|source|page|message|content|"
    r"statement|claim)s? (?:below |above )?as (?:an? |the )?(?:\w{2,14} ){0,2}(?:instructions?|commands?|"
    "authoritative|trusted|verified|true|fact|facts|ground truth|system|source|correct|only|highest|"
    r"gold)\b",
    "this (?:document|passage|text|source|page|chunk) (?:is|must be|should be|has been|contains|"
    "ha[sv]e?) (?:always )?(?:the )?(?:only (?:trusted|reliable|correct|valid|relevant|source)|ranked "
    "(?:first|highest)|(?:most|highly) relevant to (?:any|every|all)|cited (?:first|in every|in all)|"
    "relevant to (?:every|any|all) quer)",
    r"(?:all|any|the) other (?:sources?|documents?|passages?|retrieved \w{4,9}|search results?) (?:is|are|"
    "should be|must be|were|have been) (?:wrong|false|outdated|incorrect|ignored|disregarded|unreliable|"
    "untrusted|malicious|fake|compromised)",
    "^(?:skip|omit|drop|leave out|remove|suppress|hide) (?:all |the |any |your |all of the |all the "
    r")?(?:citations?|source citations|disclaimers?|safety warnings|footnotes)\b(?= ?[.!;,]|\Z| (?:from|"
    "in) (?:your|the|any|all|every) ANSWER)",
)

ANSWER_RULES = (
    ITS_ANSWER,
    LETTERS,
    CONTROL,
    SOURCES,
)
