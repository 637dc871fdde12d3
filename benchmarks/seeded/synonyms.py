"""Words that mean the same where they stand: a pattern and what is put in its place, for either language."""

import re

_EN = r"""
(?<![rt]y )(?<!al )(?<!r )(?<!us )\bhypertension\b(?!-)	high blood pressure
\bhigh blood pressure\b(?! (?:medic|med|read|numb|drug))	hypertension
(?<=\bin )children(?= (?:with|under|who|should|and adults)\b|[.;])	paediatric patients
(?<=\bfor )children(?= (?:with|under|who)\b|[.;])	paediatric patients
(?<=\bin )(?:elderly patients|the elderly)\b	older patients
\b(is|are) contraindicated(?= in| for| during)	\1 not to be used
\b(is|are) not recommended\b	\1 not advised
\breduces\b	decreases
(?<=can )reduce\b	lower
(?<=to )reduce\b	decrease
\bdecreases\b(?= the)	reduces
(?<=was )reduced\b	decreased
(?<=were )reduced\b	decreased
\bmyocardial infarction\b	heart attack
\bheart attack(s?)\b	myocardial infarction\1
\brenal(?= (?:failure|disease|impairment|insufficiency|function|transplant))	kidney
\bkidney(?= (?:failure|function|transplant))	renal
\bhepatic(?= (?:impairment|failure|disease|function))	liver
\bliver(?= (?:failure|function)\b)	hepatic
\bdiarrhea\b	diarrhoea
\bdiarrhoea\b	diarrhea
\banemia\b	anaemia
\banaemia\b	anemia
\boedema\b	edema
\bedema\b	oedema
\bparacetamol\b	acetaminophen
\badrenaline\b	epinephrine
\bfurosemide\b	frusemide
\balbuterol\b	salbutamol
\brifampicin\b	rifampin
\bapproximately\b	about
\babout(?= \d)	approximately
\bfrequently\b	often
\bshortness of breath\b	dyspnoea
\bdyspno?ea\b(?! on)	shortness of breath
\bpruritus\b	itching
\bitching\b	pruritus
\b(is|are|be|was|were) administered\b	\1 given
\bprior to\b	before
\bside effects\b	adverse effects
\badverse effects\b	side effects
\badverse reactions\b	side effects
\bdue to\b	because of
\bindividuals\b(?= (?:with|who|affected))	people
\bpeople(?= with| who)	individuals
\borally\b(?!/)	by mouth
\bby mouth\b	orally
\bintravenously\b	by the intravenous route
\bintramuscularly\b	by the intramuscular route
\butiliz(e|ed|es)\b	us\1
\binitiated\b	started
\bdiscontinued\b	stopped
\bphysician(s?)\b(?! assist)	doctor\1
\bhealth care provider\b	healthcare professional
\bneoplasm(s?)\b	tumour\1
\btumor\b(?! necrosis)	tumour
\bpyrexia\b	fever
\bfatigue\b	tiredness
\bcannot\b	can not
\b([Dd])o not\b	\1on't
\b(is|are|was|were|do|does|did|should) not\b	\1n't
\busually\b	generally
\bsuch as\b	like
\bin order to\b	to
\bdemonstrated that\b	showed that
\bshowed that\b	demonstrated that
\bTherefore\b,	Thus,
\bvaries\b	differs
\brequires\b	needs
\bnearly\b(?= (?:all|half|every|\d))	almost
\bassist(s?)\b(?= in| with)	help\1
\bswelling\b(?= of the (?:legs|feet|ankles|face))	oedema
(?<!a )(?<!ial )\bha?emorrhage\b	bleeding
\bvaricella\b	chickenpox
\bpertussis\b	whooping cough
\bimmunization\b	immunisation
\bhemoglobin\b	haemoglobin
\bpediatric\b	paediatric
\bfetus\b	foetus
"""
_ZH = """
(?<![新早])儿童(?!期|保健|少年|节|医院|疫苗)	小儿
小儿(?=患者|多见|常见|发生|急性|肺|的)(?!麻痹)	儿童
患者(?!们)	病人
病人	患者
禁用	禁止使用
升高(?!的幅度)	增高
增高	升高
(?<=[平值率量度能力压数])下降(?!期|支|至|到)	降低
(?<![可能])引起(?!的|重视|注意|关注|警惕)	导致
导致(?!的)	引起
(?<!最)常见(?=的)	多见
首选(?=治疗|药物|方法|方案)	首先选用的
老年人(?!群|口|性)	老人
孕妇	妊娠期妇女
妊娠期妇女	孕妇
应当	应
能够	能
以及	和
急性心肌梗死	急性心梗
心肌梗死(?!后综)	心梗
脑卒中	卒中
乙型肝炎(?!病毒|表面)	乙肝
(?<![\u4e00-\u9fff])发热(?=[，、。；伴])	发烧
静脉注射	静注
肌内注射	肌肉注射
是指	指的是
必须	务必
立即	马上
大约	约
亦可	也可
主要用于	主要应用于
并且	而且
因此	所以
由于	因为
通常	一般
包括	包含
迅速	快速
较多见	较常见
多见于	常见于
好发于	多发于
易于	容易
具有	有
(?<![简又亦俗统合全总也])称为	叫做
属于	归属于
此外	另外
若(?=患者|病人|出现|有|为)	如果
十分(?![钟之])	非常
目前	现在
甲状腺功能亢进症?	甲亢
糖尿病患者	患糖尿病的人
部位	位置
"""


def _read(text: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = [line.split("\t") for line in text.strip("\n").splitlines()]
    return tuple((re.compile(shape), now) for shape, now in rows)


SYNONYMS = {"en": _read(_EN), "zh": _read(_ZH)}
