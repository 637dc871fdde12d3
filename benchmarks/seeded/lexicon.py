"""Names of drugs, diseases and kinds of people, and words that mean the same: what is swapped in a sentence.

Names on one line separated by ``=`` are one thing; nothing is ever swapped for its own synonym.
"""

import re
from collections.abc import Iterable, Sequence

_DRUGS_EN = """
paracetamol=acetaminophen adrenaline=epinephrine noradrenaline=norepinephrine salbutamol=albuterol
furosemide=frusemide lidocaine=lignocaine rifampicin=rifampin glibenclamide=glyburide aspirin=acetylsalicylic
amoxicillin=amoxycillin ciclosporin=cyclosporine pethidine=meperidine suxamethonium=succinylcholine ibuprofen naproxen
diclofenac indomethacin celecoxib morphine codeine fentanyl tramadol methadone buprenorphine naloxone naltrexone
oxycodone ampicillin cloxacillin flucloxacillin benzylpenicillin piperacillin ceftriaxone cefotaxime ceftazidime
cefuroxime cephalexin cefixime meropenem imipenem gentamicin amikacin streptomycin tobramycin azithromycin
clarithromycin erythromycin doxycycline tetracycline minocycline tigecycline ciprofloxacin levofloxacin moxifloxacin
ofloxacin metronidazole tinidazole vancomycin linezolid clindamycin chloramphenicol cotrimoxazole trimethoprim
nitrofurantoin isoniazid ethambutol pyrazinamide bedaquiline fluconazole itraconazole voriconazole ketoconazole
amphotericin terbinafine griseofulvin nystatin acyclovir valacyclovir ganciclovir oseltamivir remdesivir ribavirin
lamivudine zidovudine tenofovir efavirenz nevirapine dolutegravir lopinavir ritonavir chloroquine hydroxychloroquine
artesunate quinine mefloquine primaquine artemether ivermectin albendazole mebendazole praziquantel enalapril
lisinopril captopril ramipril losartan valsartan candesartan telmisartan amlodipine nifedipine diltiazem verapamil
felodipine atenolol propranolol metoprolol bisoprolol carvedilol labetalol hydralazine methyldopa clonidine prazosin
doxazosin hydrochlorothiazide chlorthalidone indapamide spironolactone eplerenone bumetanide torsemide mannitol
acetazolamide digoxin amiodarone sotalol flecainide adenosine atropine dobutamine dopamine milrinone simvastatin
atorvastatin rosuvastatin pravastatin fenofibrate gemfibrozil ezetimibe warfarin heparin enoxaparin dalteparin
rivaroxaban apixaban dabigatran edoxaban clopidogrel prasugrel ticagrelor alteplase streptokinase tenecteplase
metformin gliclazide glimepiride pioglitazone sitagliptin linagliptin empagliflozin dapagliflozin liraglutide
semaglutide exenatide levothyroxine carbimazole propylthiouracil methimazole prednisolone prednisone hydrocortisone
dexamethasone methylprednisolone budesonide fluticasone beclomethasone omeprazole lansoprazole pantoprazole
esomeprazole ranitidine famotidine cimetidine sucralfate misoprostol metoclopramide domperidone ondansetron loperamide
lactulose diazepam lorazepam midazolam clonazepam alprazolam phenobarbital phenytoin carbamazepine valproate
lamotrigine levetiracetam topiramate gabapentin pregabalin haloperidol chlorpromazine risperidone olanzapine
quetiapine clozapine aripiprazole fluoxetine sertraline paroxetine citalopram escitalopram venlafaxine duloxetine
amitriptyline imipramine nortriptyline mirtazapine bupropion lithium methylphenidate donepezil memantine levodopa
selegiline pramipexole ketamine propofol thiopental bupivacaine rocuronium vecuronium neostigmine methotrexate
azathioprine cyclophosphamide mycophenolate tacrolimus sirolimus sulfasalazine leflunomide infliximab adalimumab
etanercept rituximab tocilizumab trastuzumab bevacizumab pembrolizumab nivolumab ipilimumab imatinib erlotinib
gefitinib sorafenib sunitinib cisplatin carboplatin oxaliplatin paclitaxel docetaxel doxorubicin vincristine
fluorouracil capecitabine gemcitabine bleomycin etoposide tamoxifen letrozole anastrozole exemestane raloxifene
alendronate zoledronate denosumab teriparatide allopurinol febuxostat colchicine probenecid montelukast theophylline
ipratropium tiotropium salmeterol formoterol omalizumab cetirizine loratadine diphenhydramine chlorpheniramine
promethazine hydroxyzine sildenafil tadalafil finasteride tamsulosin oxybutynin bosentan ambrisentan oxytocin
ergometrine mifepristone clomiphene medroxyprogesterone levonorgestrel isotretinoin desmopressin vasopressin
octreotide pentamidine dapsone sofosbuvir ledipasvir entecavir eculizumab natalizumab fingolimod
"""
DRUG_FORM = re.compile(
    r"\b[a-z]{3,}(?:cillin|floxacin|cycline|conazole|prazole|sartan|dipine|triptan|gliptin|gliflozin|glutide|[lztx]umab"
    r"|ximab|tinib|ciclib|parin|xaban|lukast|setron|azepam|caine|platin|taxel|rubicin|tegravir|buvir|asvir|citabine)\b"
)
"""Names that end as drugs of a class do (the stems of international nonproprietary names)."""

_DRUGS_ZH = """
阿司匹林=乙酰水杨酸 对乙酰氨基酚=扑热息痛 肾上腺素=副肾素 呋塞米=速尿 沙丁胺醇=舒喘灵 氯苯那敏=扑尔敏 地西泮=安定
哌替啶=度冷丁 异丙嗪=非那根 硝苯地平=心痛定 普萘洛尔=心得安 利多卡因=赛罗卡因 布洛芬 吲哚美辛 双氯芬酸 塞来昔布 吗啡
可待因 芬太尼 曲马多 美沙酮 纳洛酮 青霉素 阿莫西林 氨苄西林 头孢曲松 头孢呋辛 头孢他啶 亚胺培南 庆大霉素 链霉素
阿米卡星 阿奇霉素 红霉素 克拉霉素 四环素 多西环素 环丙沙星 左氧氟沙星 氧氟沙星 诺氟沙星 甲硝唑 替硝唑 万古霉素
克林霉素 氯霉素 利福平 异烟肼 乙胺丁醇 吡嗪酰胺 氟康唑 伊曲康唑 酮康唑 两性霉素B 特比萘芬 制霉菌素 阿昔洛韦 更昔洛韦
奥司他韦 利巴韦林 拉米夫定 恩替卡韦 替诺福韦 氯喹 奎宁 青蒿素 伯氨喹 乙胺嘧啶 阿苯达唑 吡喹酮 卡托普利 依那普利
赖诺普利 氯沙坦 缬沙坦 厄贝沙坦 氨氯地平 维拉帕米 地尔硫䓬 美托洛尔 比索洛尔 阿替洛尔 拉贝洛尔 可乐定 哌唑嗪 利血平
硝普钠 硝酸甘油 氢氯噻嗪 螺内酯 氨苯蝶啶 甘露醇 乙酰唑胺 地高辛 胺碘酮 奎尼丁 普罗帕酮 阿托品 多巴胺 多巴酚丁胺
去甲肾上腺素 异丙肾上腺素 麻黄碱 间羟胺 酚妥拉明 洛伐他汀 辛伐他汀 阿托伐他汀 瑞舒伐他汀 非诺贝特 考来烯胺 华法林 肝素
低分子肝素 利伐沙班 达比加群 氯吡格雷 尿激酶 链激酶 阿替普酶 二甲双胍 格列本脲 格列齐特 格列美脲 吡格列酮 阿卡波糖
西格列汀 胰岛素 左甲状腺素 甲巯咪唑 丙硫氧嘧啶 泼尼松 泼尼松龙 氢化可的松 地塞米松 甲泼尼龙 倍氯米松 布地奈德 奥美拉唑
兰索拉唑 雷尼替丁 法莫替丁 西咪替丁 硫糖铝 米索前列醇 甲氧氯普胺 多潘立酮 昂丹司琼 洛哌丁胺 乳果糖 苯巴比妥 苯妥英钠
卡马西平 丙戊酸钠 拉莫三嗪 乙琥胺 氯丙嗪 氟哌啶醇 氯氮平 奥氮平 利培酮 喹硫平 氟西汀 舍曲林 帕罗西汀 西酞普兰 文拉法辛
阿米替林 丙米嗪 碳酸锂 左旋多巴 苯海索 多奈哌齐 氯胺酮 丙泊酚 硫喷妥钠 布比卡因 普鲁卡因 丁卡因 罗哌卡因 琥珀胆碱
新斯的明 毛果芸香碱 毒扁豆碱 东莨菪碱 山莨菪碱 甲氨蝶呤 环磷酰胺 硫唑嘌呤 环孢素 他克莫司 柳氮磺吡啶 顺铂 卡铂 紫杉醇
多柔比星 长春新碱 氟尿嘧啶 博来霉素 阿糖胞苷 他莫昔芬 来曲唑 阿仑膦酸钠 别嘌醇 秋水仙碱 丙磺舒 氨茶碱 孟鲁司特
色甘酸钠 异丙托溴铵 特布他林 沙美特罗 氯雷他定 西替利嗪 苯海拉明 缩宫素 麦角新碱 米非司酮 硫酸镁 葡萄糖酸钙 维生素K
叶酸 铁剂
"""
_HERBS_ZH = """
麻黄 桂枝 荆芥 防风 薄荷 柴胡 葛根 升麻 石膏 知母 栀子 黄芩 黄连 黄柏 龙胆 金银花 连翘 板蓝根 生地黄 玄参 牡丹皮 赤芍
大黄 芒硝 独活 羌活 秦艽 苍术 厚朴 茯苓 泽泻 薏苡仁 茵陈 附子 干姜 肉桂 吴茱萸 陈皮 枳实 木香 香附 山楂 川芎 丹参 红花
桃仁 益母草 牛膝 半夏 天南星 川贝母 浙贝母 瓜蒌 桔梗 苦杏仁 酸枣仁 天麻 钩藤 羚羊角 麝香 人参 党参 黄芪 白术 甘草 鹿茸
杜仲 当归 熟地黄 白芍 阿胶 何首乌 麦冬 枸杞子 五味子 山茱萸
"""
_FORMULAS_ZH = """
麻黄汤 桂枝汤 银翘散 桑菊饮 白虎汤 小柴胡汤 逍遥散 四逆散 理中丸 四逆汤 四君子汤 补中益气汤 四物汤 归脾汤 六味地黄丸
金匮肾气丸 玉屏风散 生脉散 酸枣仁汤 血府逐瘀汤 二陈汤 温胆汤 五苓散 平胃散 藿香正气散 龙胆泻肝汤 茵陈蒿汤 保和丸
天王补心丹 镇肝熄风汤 大承气汤 麻子仁丸
"""
_DISEASES_EN = """
asthma|tuberculosis|malaria|pneumonia|meningitis|measles|cholera|typhoid fever|rabies|tetanus|influenza|hepatitis B
hepatitis C|hypertension|heart failure|stroke|epilepsy|migraine|schizophrenia|depression|osteoporosis|osteoarthritis
rheumatoid arthritis|gout|psoriasis|eczema|multiple sclerosis|Parkinson's disease|Alzheimer's disease|cystic fibrosis
sickle cell disease|hemophilia|leukemia|breast cancer|prostate cancer|lung cancer|colorectal cancer|ovarian cancer
cervical cancer|pancreatic cancer|bladder cancer|melanoma|lymphoma|glaucoma|cataract|appendicitis|pancreatitis
cholecystitis|cirrhosis|hypothyroidism|hyperthyroidism|endometriosis|pre-eclampsia|dengue|syphilis|gonorrhea|chlamydia
Crohn's disease|ulcerative colitis|celiac disease|anorexia nervosa|autism|Huntington's disease|myasthenia gravis
scoliosis|sarcoidosis|scleroderma|endocarditis|atrial fibrillation|pulmonary embolism|hypoglycemia|hyperkalemia
osteomyelitis|cellulitis|scabies|leprosy|schistosomiasis|Down syndrome|Marfan syndrome|Turner syndrome|Ebola
"""
_DISEASES_ZH = """
肺炎|支气管哮喘|肺结核|肺癌|冠心病|急性心肌梗死|心绞痛|房颤|心力衰竭|高血压|糖尿病|甲状腺功能亢进症|甲状腺功能减退症
痛风|骨质疏松症|类风湿关节炎|系统性红斑狼疮|胃溃疡|十二指肠溃疡|胃癌|肝硬化|肝癌|急性胰腺炎|急性阑尾炎|胆囊炎
溃疡性结肠炎|克罗恩病|急性肾小球肾炎|肾病综合征|尿毒症|缺铁性贫血|再生障碍性贫血|白血病|霍奇金淋巴瘤|癫痫|帕金森病
脑出血|脑梗死|蛛网膜下腔出血|重症肌无力|精神分裂症|抑郁症|麻疹|水痘|风疹|猩红热|流行性腮腺炎|百日咳|白喉|霍乱|伤寒
细菌性痢疾|疟疾|狂犬病|梅毒|淋病|艾滋病|子宫肌瘤|宫颈癌|卵巢癌|前置胎盘|胎盘早剥|子痫|佝偻病|法洛四联症|动脉导管未闭
房间隔缺损|室间隔缺损|青光眼|白内障|银屑病|湿疹|龋病|牙髓炎|牙周炎
"""

PEOPLE_EN = (
    ("pregnant women", ("postmenopausal women", "elderly women")),
    ("breastfeeding women", ("elderly women",)),
    ("postmenopausal women", ("pregnant women", "premenopausal women")),
    ("premenopausal women", ("postmenopausal women",)),
    ("older adults", ("young children", "adolescents")),
    ("older people", ("young people", "children")),
    ("elderly patients", ("young patients", "children")),
    ("the elderly", ("children", "infants")),
    ("young children", ("older adults", "adolescents")),
    ("young adults", ("older adults", "infants")),
    ("children", ("adults", "older people")),
    ("adults", ("children", "infants")),
    ("infants", ("adults", "adolescents")),
    ("newborns", ("adults", "older children")),
    ("neonates", ("adults", "older children")),
    ("adolescents", ("older adults", "infants")),
    ("women", ("men",)),
    ("men", ("women",)),
    ("females", ("males",)),
    ("males", ("females",)),
    ("girls", ("boys",)),
    ("boys", ("girls",)),
    ("renal impairment", ("hepatic impairment",)),
    ("hepatic impairment", ("renal impairment",)),
    ("renal failure", ("hepatic failure",)),
    ("renal insufficiency", ("hepatic insufficiency",)),
    ("non-smokers", ("smokers",)),
    ("smokers", ("non-smokers",)),
    ("outpatients", ("inpatients",)),
    ("inpatients", ("outpatients",)),
)
PEOPLE_ZH = (
    ("绝经后妇女", ("妊娠期妇女",)),
    ("妊娠期妇女", ("老年患者", "绝经后妇女")),
    ("哺乳期妇女", ("老年患者",)),
    ("育龄妇女", ("老年妇女",)),
    ("老年患者", ("青年患者", "儿童患者")),
    ("老年人", ("儿童", "青壮年")),
    ("中老年人", ("青少年", "儿童")),
    ("青壮年", ("老年人", "婴幼儿")),
    ("青少年", ("老年人",)),
    ("婴幼儿", ("老年人", "成人")),
    ("新生儿", ("成人", "老年人")),
    ("早产儿", ("足月儿",)),
    ("足月儿", ("早产儿",)),
    ("儿童", ("成人", "老年人")),
    ("小儿", ("成人", "老年人")),
    ("孕妇", ("老年人", "儿童")),
    ("成年人", ("婴幼儿", "儿童")),
    ("成人", ("儿童", "新生儿")),
    ("男性", ("女性",)),
    ("女性", ("男性",)),
    ("妇女", ("男性",)),
    ("肾功能不全", ("肝功能不全",)),
    ("肝功能不全", ("肾功能不全",)),
)


def _groups(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group.split("=")) for group in text.split())


def _names(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple((name,) for name in re.split(r"[|\n]+", text.strip()))


DRUGS = {"en": _groups(_DRUGS_EN), "zh": _groups(_DRUGS_ZH)}
HERBS = _groups(_HERBS_ZH)
FORMULAS = _groups(_FORMULAS_ZH)
DISEASES = {"en": _names(_DISEASES_EN), "zh": _names(_DISEASES_ZH)}


def drugs_met(texts: Iterable[str]) -> tuple[str, ...]:
    """Names with the form of a drug's that at least two of the texts hold."""
    known = {name for group in DRUGS["en"] for name in group}
    met: dict[str, int] = {}
    for text in texts:
        for name in set(DRUG_FORM.findall(text)):
            met[name] = met.get(name, 0) + 1
    return tuple(sorted(name for name, times in met.items() if times > 1 and name not in known))


def pattern(names: Sequence[str], lang: str) -> re.Pattern[str]:
    """Finds whole names, the longest first."""
    ranked = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    if lang == "en":
        return re.compile(rf"(?<![\w-])(?:{ranked})(?![\w-]|'s)", re.IGNORECASE)
    # A Chinese name ends where a function word, a mark or a verb of giving begins; else it may be part of another name.
    opening = "是为用服予取如有即含与和及或合的以对使射选因由但而而且若当给于从加投将在应可宜指称属"
    closing = "是为的与和及或合可能应宜不在于主有对属适具用治会引过也均等以长中毒片注口静过禁因通既后时即其最常虽首"
    return re.compile(
        rf"(?:(?<![\u4e00-\u9fff])|(?<=[{opening}]))(?:{ranked})(?=[^\u4e00-\u9fffA-Za-z-]|[{closing}]|$)"
    )
