"""Clinical questions with an identifier of a person spliced in, to measure masking by. Nothing here knows the rules of
``rag.privacy``: people and addresses are Faker's, check digits are computed here, the sentences are written by hand.
The sentences of each kind are split into those the rules were written on and those held out, before there was a rule;
the names and numbers of the two are drawn from different seeds.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from faker import Faker

Split = Literal["dev", "held-out"]
SEED = 8


@dataclass(frozen=True)
class Identified:
    """``text`` holds the ``question`` as it is and the ``identifier``; none of ``parts`` may be left after masking."""

    text: str
    question: str
    identifier: str
    parts: tuple[str, ...]
    kind: str
    language: str


QUESTIONS = {
    "en": (
        "what is the target serum urate in gout?",
        "can metformin 500 mg twice daily be continued with an eGFR of 38?",
        "is amoxicillin safe in the second trimester?",
        "how should Crohn disease be followed up after 12 months of remission?",
        "does Wilson disease explain a ceruloplasmin of 12 mg/dL?",
        "what dose of levothyroxine is right at 1.6 µg/kg?",
        "is a blood pressure of 152/94 mmHg to be treated at age 81?",
        "how long is warfarin paused before a colonoscopy?",
        "does Parkinson disease worsen with metoclopramide?",
        "when is a statin stopped for a CK of 1,200 U/L?",
        "which vaccine is due at 65 years?",
        "what does a positive Murphy sign mean?",
    ),
    "zh": (
        "痛风患者的血尿酸目标值是多少？",
        "肾小球滤过率38时二甲双胍500mg每日两次还能继续吃吗？",
        "妊娠中期使用阿莫西林安全吗？",
        "克罗恩病缓解12个月后如何随访？",
        "威尔逊病的铜蓝蛋白一般低于多少？",
        "左甲状腺素的起始剂量是多少？",
        "81岁血压152/94 mmHg需要治疗吗？",
        "结肠镜检查前华法林要停几天？",
        "帕金森病能用甲氧氯普胺吗？",
        "肌酸激酶1200 U/L时要停他汀吗？",
        "65岁以上应接种哪种疫苗？",
        "墨菲征阳性说明什么？",
    ),
}

SENTENCES: dict[tuple[str, str], tuple[str, ...]] = {
    ("en", "name"): (
        "Mr. {x} was admitted yesterday; {q}",
        "My patient {x} asks: {q}",
        "For Mrs {x}, {q}",
        "Dr. {x} referred the case. {q}",
        "My name is {x} and I want to know: {q}",
        "Patient name: {x}. {q}",
        "Our patient, named {x}, is on the ward. {q}",
        "I saw Ms. {x} in clinic today and wondered: {q}",
        "Patient: {x}, 54 years, female. {q}",
        "The family of Miss {x} would like to hear: {q}",
        "A patient called {x} came in this morning. {q}",
        "Regards from Prof. {x}: {q}",
    ),
    ("en", "phone"): (
        "Call me back at {x}. {q}",
        "{q} My number is {x}",
        "Phone: {x}. {q}",
        "You can text the patient on {x} - {q}",
        "Her daughter ({x}) wants to know: {q}",
        "mobile {x}, {q}",
        "Tel. {x}; {q}",
        "If in doubt ring {x}. {q}",
    ),
    ("en", "email"): (
        "Please answer to {x}: {q}",
        "{q} Email: {x}",
        "Sent by {x}. {q}",
        "The patient ({x}) writes: {q}",
    ),
    ("en", "ssn"): (
        "SSN {x}. {q}",
        "Social security number: {x}; {q}",
        "The insured with {x} asks: {q}",
        "Her social security no. is {x}. {q}",
        "{q} (SSN: {x})",
        "Patient {x}, {q}",
    ),
    ("en", "nhs"): (
        "NHS number {x}. {q}",
        "NHS no: {x}, {q}",
        "{q} NHS Number is {x}",
        "For the patient with NHS {x}: {q}",
    ),
    ("en", "passport"): (
        "Passport number {x}. {q}",
        "She travels on passport {x}; {q}",
        "Passport no. {x}: {q}",
        "{q} (passport: {x})",
    ),
    ("en", "mrz"): (
        "Scanned from the passport: {x}. {q}",
        "{x} - {q}",
    ),
    ("en", "mrn"): (
        "MRN {x}: {q}",
        "Medical record number {x}. {q}",
        "MRN: {x}, 67-year-old man. {q}",
        "Hospital number {x}; {q}",
        "For the patient with record no. {x}, {q}",
        "{q} (MRN#{x})",
        "Chart number: {x}. {q}",
        "Patient ID {x} was discharged. {q}",
    ),
    ("en", "born"): (
        "DOB {x}. {q}",
        "Date of birth: {x}. {q}",
        "The patient, born on {x}, asks: {q}",
        "She was born {x}. {q}",
        "{q} (d.o.b. {x})",
        "Birth date {x}, male. {q}",
        "My birthday is {x}. {q}",
        "A man (b. {x}) with fever: {q}",
    ),
    ("en", "address"): (
        "The patient lives at {x}. {q}",
        "Address: {x}. {q}",
        "Please post the leaflet to {x}. {q}",
        "Her home address is {x}; {q}",
        "She moved to {x} last year. {q}",
        "{q} We are at {x}",
    ),
    ("zh", "name"): (
        "患者{x}昨日入院，{q}",
        "{x}先生想问：{q}",
        "我叫{x}，{q}",
        "病人姓名：{x}，{q}",
        "{x}女士来电咨询，{q}",
        "请问{x}医生，{q}",
        "我妈妈名叫{x}，{q}",
        "姓名:{x} 性别:女 年龄:54岁 {q}",
        "{x}主任您好，{q}",
        "我是{x}的家属，{q}",
        "病人{x}，男，62岁，{q}",
        "{x}老师转来的病例：{q}",
    ),
    ("zh", "phone"): (
        "电话{x}，{q}",
        "请回电{x}。{q}",
        "我的手机号是{x}，{q}",
        "联系方式：{x}；{q}",
        "{q}联系电话：{x}",
        "家属手机{x}，{q}",
        "可以打{x}找我。{q}",
        "微信同号{x}，{q}",
    ),
    ("zh", "email"): (
        "邮箱{x}，{q}",
        "请发到{x}。{q}",
        "{q}电子邮件：{x}",
        "我的邮件地址是{x}，{q}",
    ),
    ("zh", "id_card"): (
        "身份证号{x}，{q}",
        "患者身份证：{x}。{q}",
        "身份证号码为{x}，{q}",
        "{q}（证件号{x}）",
        "病人（{x}）问：{q}",
        "ID:{x} {q}",
    ),
    ("zh", "passport"): (
        "护照号{x}，{q}",
        "护照号码：{x}。{q}",
        "持护照{x}入境，{q}",
        "{q}（护照 {x}）",
    ),
    ("zh", "mrn"): (
        "住院号{x}，{q}",
        "病历号：{x}。{q}",
        "门诊号{x}的患者，{q}",
        "病案号为{x}，{q}",
        "{q}（就诊卡号{x}）",
        "住院号码: {x}，男，67岁，{q}",
        "登记号{x}；{q}",
        "医保卡号{x}，{q}",
    ),
    ("zh", "born"): (
        "出生日期：{x}，{q}",
        "患者生于{x}，{q}",
        "{x}出生的女性，{q}",
        "我的生日是{x}，{q}",
        "出生年月日 {x}。{q}",
        "他{x}生，{q}",
    ),
    ("zh", "address"): (
        "家住{x}，{q}",
        "地址：{x}。{q}",
        "患者现住{x}，{q}",
        "住址为{x}；{q}",
        "请寄到{x}，{q}",
        "{q}家庭住址：{x}",
    ),
}


def identified(count: int, split: Split) -> list[Identified]:
    """``count`` texts, the kinds and sentences of the split in turn, the rest drawn by chance but always the same."""
    draw = random.Random(f"{SEED} {split}")
    people = {name: _faker(name, draw) for name in ("en_US", "en_GB", "zh_CN")}
    made: list[Identified] = []
    rounds = [_cycled(key, split, draw) for key in SENTENCES]
    while len(made) < count:
        for (language, kind), sentences in zip(SENTENCES, rounds, strict=True):
            value, parts = _VALUES[language, kind](people, draw)
            if language == "zh" and kind in ("phone", "id_card", "mrn") and draw.random() < 0.25:
                value, parts = _full_width(value), tuple(_full_width(part) for part in parts)
            question = draw.choice(QUESTIONS[language])
            text = next(sentences).format(x=value, q=question)
            made.append(Identified(text, question, value, parts, kind, language))
    return made[:count]


def _cycled(key: tuple[str, str], split: Split, draw: random.Random) -> Iterator[str]:
    """The sentences of a kind that belong to the split, over and over: every other one is held out."""
    own = SENTENCES[key][0 if split == "dev" else 1 :: 2]
    while True:
        yield from draw.sample(own, len(own))


def _faker(locale: str, draw: random.Random) -> Faker:
    fake = Faker(locale)
    fake.seed_instance(draw.random())
    return fake


People = dict[str, Faker]
Value = tuple[str, tuple[str, ...]]


def _name_en(people: People, draw: random.Random) -> Value:
    fake = people[draw.choice(("en_US", "en_GB"))]
    first, last = fake.first_name(), fake.last_name()
    whole = draw.choice((f"{first} {last}", last, f"{first[0]}. {last}", f"{first} {fake.first_name()[0]}. {last}"))
    return whole, tuple(part for part in whole.split() if len(part) > 2)


def _full_name_en(people: People, draw: random.Random) -> Value:
    fake = people[draw.choice(("en_US", "en_GB"))]
    first, last = fake.first_name(), fake.last_name()
    return f"{first} {last}", (first, last)


def _name_zh(people: People, draw: random.Random) -> Value:
    name = people["zh_CN"].name()
    return name, (name, name[1:]) if len(name) > 2 else (name,)


def _phone_en(people: People, draw: random.Random) -> Value:
    number = people[draw.choice(("en_US", "en_GB"))].phone_number()
    if draw.random() < 0.3:
        number = f"{draw.randrange(201, 989)}-{draw.randrange(200, 999)}-{draw.randrange(10_000):04}"
    return number, (number,)


def _phone_zh(people: People, draw: random.Random) -> Value:
    mobile = people["zh_CN"].phone_number()
    other = (
        mobile,
        f"{mobile[:3]}-{mobile[3:7]}-{mobile[7:]}",
        f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}",
        f"+86 {mobile}",
        f"0{draw.choice((10, 21, 755, 571))}-{draw.randrange(20_000_000, 89_999_999)}",
    )
    number = draw.choice(other)
    return number, (number,)


def _email(people: People, draw: random.Random) -> Value:
    address = people[draw.choice(("en_US", "en_GB"))].email()
    return address, (address, address.split("@")[0])


def _ssn(people: People, draw: random.Random) -> Value:
    number = people["en_US"].ssn()
    return number, (number, number[-4:])


def _nhs(people: People, draw: random.Random) -> Value:
    while True:
        digits = [draw.randrange(10) for _ in range(9)]
        check = 11 - sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            break
    number = "".join(map(str, [*digits, 0 if check == 11 else check]))
    spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
    value = draw.choice((number, spaced, spaced.replace(" ", "-")))
    return value, (value, value[-4:])


def _id_card(people: People, draw: random.Random) -> Value:
    number = people["zh_CN"].ssn()
    return number, (number, number[6:14])


def _passport_en(people: People, draw: random.Random) -> Value:
    number = people[draw.choice(("en_US", "en_GB"))].passport_number()
    return number, (number, number[-6:])


def _passport_zh(people: People, draw: random.Random) -> Value:
    number = f"{draw.choice(('E', 'G', 'EA', 'EB', 'EJ'))}{draw.randrange(10**8):08}"[:9]
    return number, (number, number[-6:])


def _mrz(people: People, draw: random.Random) -> Value:
    """The two lines of a passport, as ICAO 9303 has them."""
    fake = people["en_US"]
    last, first = fake.last_name().upper(), fake.first_name().upper()
    number = f"{draw.randrange(10**9):09}"
    born, expires = f"{draw.randrange(30, 99)}0{draw.randrange(1, 10)}15", f"3{draw.randrange(1, 9)}1105"
    personal = "<" * 14
    head = f"{number}{_check_of(number)}USA{born}{_check_of(born)}{draw.choice('MF')}{expires}{_check_of(expires)}"
    body = f"{number}{_check_of(number)}{born}{_check_of(born)}{expires}{_check_of(expires)}{personal}0"
    first_line = f"P<USA{last}<<{first}".ljust(44, "<")
    return f"{first_line}\n{head}{personal}0{_check_of(body)}", (last, number, born)


def _check_of(field: str) -> int:
    values = ["0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".find(letter) % 36 if letter != "<" else 0 for letter in field]
    return sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10


def _mrn(people: People, draw: random.Random) -> Value:
    number = draw.choice(
        (
            f"{draw.randrange(10**6, 10**9)}",
            f"{draw.choice('ABHMZ')}{draw.randrange(10**5, 10**8)}",
            f"{draw.randrange(10, 99)}-{draw.randrange(10, 99)}-{draw.randrange(10, 99)}",
            f"{draw.randrange(10**7):07}",
        )
    )
    return number, (number, number[-6:])


def _born_en(people: People, draw: random.Random) -> Value:
    day: date = people["en_US"].date_of_birth(minimum_age=1, maximum_age=95)
    written = draw.choice(("%m/%d/%Y", "%d/%m/%Y", "%Y-%m-%d", "%d %B %Y", "%B %d, %Y", "%d.%m.%Y", "%d-%b-%Y"))
    value = day.strftime(written)
    return value, (value,)


def _born_zh(people: People, draw: random.Random) -> Value:
    day: date = people["zh_CN"].date_of_birth(minimum_age=1, maximum_age=95)
    value = draw.choice(
        (
            f"{day.year}年{day.month}月{day.day}日",
            f"{day.year}-{day.month:02}-{day.day:02}",
            f"{day.year}.{day.month}.{day.day}",
            f"{day.year}/{day.month}/{day.day}",
            f"{day.year % 100:02}年{day.month}月{day.day}号",
        )
    )
    return value, (value,)


def _address_en(people: People, draw: random.Random) -> Value:
    if draw.random() < 0.5:
        fake = people["en_GB"]
        number, street, town, code = fake.building_number(), fake.street_name(), fake.city(), fake.postcode()
        value = draw.choice((f"{number} {street}, {town} {code}", f"{number} {street}, {town}, {code}"))
        return value, (street, code)
    fake = people["en_US"]
    number, street, town = fake.building_number(), fake.street_name(), fake.city()
    code = f"{fake.state_abbr()} {fake.postcode()}"
    value = draw.choice((f"{number} {street}, {town}, {code}", f"{number} {street}"))
    return value, (f"{number} {street}", street, *((code,) if code in value else ()))


_PLACES_ZH = (
    "北京市海淀区中关村大街",
    "上海市浦东新区张杨路",
    "广东省深圳市南山区科技园路",
    "浙江省杭州市西湖区文三路",
    "四川省成都市武侯区人民南路",
    "河南省郑州市金水区花园路",
)


def _address_zh(people: People, draw: random.Random) -> Value:
    fake = people["zh_CN"]
    if draw.random() < 0.4:
        street = f"{fake.province()}{fake.city()}{fake.district()}区{fake.street_name()}"
    else:
        street = draw.choice(_PLACES_ZH)
    number = f"{draw.randrange(1, 400)}号"
    room = draw.choice(
        ("", f"{draw.randrange(1, 30)}栋{draw.randrange(101, 2900)}室", f"{draw.randrange(1, 9)}单元501")
    )
    return f"{street}{number}{room}", (street, street[-5:], f"{street[-2:]}{number}")


_VALUES: dict[tuple[str, str], Callable[[People, random.Random], Value]] = {
    ("en", "name"): _name_en,
    ("en", "phone"): _phone_en,
    ("en", "email"): _email,
    ("en", "ssn"): _ssn,
    ("en", "nhs"): _nhs,
    ("en", "passport"): _passport_en,
    ("en", "mrz"): _mrz,
    ("en", "mrn"): _mrn,
    ("en", "born"): _born_en,
    ("en", "address"): _address_en,
    ("zh", "name"): _name_zh,
    ("zh", "phone"): _phone_zh,
    ("zh", "email"): _email,
    ("zh", "id_card"): _id_card,
    ("zh", "passport"): _passport_zh,
    ("zh", "mrn"): _mrn,
    ("zh", "born"): _born_zh,
    ("zh", "address"): _address_zh,
}


def _full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "0" <= letter <= "9" or letter.isupper() else letter for letter in text)
