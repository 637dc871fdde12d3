"""Documents made up for measuring: prose of a clinical vocabulary in the shape and size of real files, the same in
every run; and a stand-in for the embedder, for where the time or memory of embedding is not what is measured."""

import gzip
import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

WORDS = (
    "patients treatment dose risk trial placebo outcome mortality renal hepatic cardiac pulmonary severe acute chronic "
    "therapy clinical study group control primary secondary endpoint adverse event rate interval confidence ratio "
    "hazard odds baseline follow-up months weeks years adults children women men pregnancy elderly diabetes insulin "
    "metformin hypertension pressure systolic diastolic stroke infarction heart failure fibrillation anticoagulation "
    "apixaban warfarin bleeding infection pneumonia sepsis antibiotic resistance vaccine influenza asthma inhaled "
    "corticosteroid bronchodilator obstruction exacerbation cancer tumour chemotherapy radiation surgery survival "
    "progression biopsy imaging tomography resonance ultrasound screening diagnosis sensitivity specificity predictive "
    "value serum plasma urine creatinine glucose cholesterol haemoglobin platelet count level increased decreased "
    "reduced improved associated compared significant difference between among within after before during without "
    "the of and in to with for was were by at from that is as on or an not were had been which than also"
).split()
SECTIONS = ("BACKGROUND", "METHODS", "RESULTS", "CONCLUSIONS")


class StandInEmbedder:
    """Unit vectors that follow from a hash of the text and mean nothing. As wide as the packaged embedder's."""

    fingerprint = "stand-in for measuring"
    dimension = 384

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self.embed_passages([text])[0]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
            vector[:] = np.random.default_rng(seed).standard_normal(self.dimension, np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def sentences(chance: random.Random, words: int) -> str:
    """About ``words`` words in sentences of 8 to 30."""
    written: list[str] = []
    while words > 0:
        length = min(words, chance.randint(8, 30)) + 1
        sentence = chance.choices(WORDS, k=length)
        sentence.insert(chance.randrange(length), f"{chance.uniform(0, 100):.1f}%")
        written.append(" ".join(sentence).capitalize() + ".")
        words -= length
    return " ".join(written)


def write_pubmed(path: Path, first: int, records: int) -> None:
    """Records as PubMed exports them, about 230 words of abstract and 8 KB of XML each, compressed."""
    chance = random.Random(first)
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write('<?xml version="1.0" encoding="utf-8"?>\n<PubmedArticleSet>\n')
        for pmid in range(first, first + records):
            file.write(_record(chance, 10_000_000 + pmid))
        file.write("</PubmedArticleSet>\n")


def _record(chance: random.Random, pmid: int) -> str:
    abstract = "".join(
        f'<AbstractText Label="{label}" NlmCategory="{label}">{sentences(chance, words)}</AbstractText>'
        for label, words in zip(SECTIONS, (40, 70, 85, 35), strict=True)
    )
    authors = "".join(
        f'<Author ValidYN="Y"><LastName>Author{chance.randrange(9999)}</LastName><ForeName>Given</ForeName><Initials>G'
        f"</Initials><AffiliationInfo><Affiliation>{escape(sentences(chance, 18))}</Affiliation></AffiliationInfo>"
        "</Author>"
        for _ in range(6)
    )
    headings = "".join(
        f'<MeshHeading><DescriptorName UI="D{chance.randrange(10**6):06}" MajorTopicYN="N">{chance.choice(WORDS)}'
        "</DescriptorName></MeshHeading>"
        for _ in range(12)
    )
    references = "".join(
        f"<Reference><Citation>{escape(sentences(chance, 16))}</Citation><ArticleIdList>"
        f'<ArticleId IdType="pubmed">{chance.randrange(10**8)}</ArticleId></ArticleIdList></Reference>'
        for _ in range(20)
    )
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="1">{pmid}</PMID>'
        "<Article><Journal><JournalIssue><Volume>1</Volume><PubDate>"
        f"<Year>{chance.randint(1995, 2024)}</Year><Month>May</Month></PubDate></JournalIssue>"
        f"<Title>Journal of made-up medicine</Title></Journal><ArticleTitle>{sentences(chance, 14)}</ArticleTitle>"
        f"<Abstract>{abstract}</Abstract><AuthorList>{authors}</AuthorList><Language>eng</Language>"
        "<PublicationTypeList><PublicationType>Journal Article</PublicationType></PublicationTypeList></Article>"
        f"<MeshHeadingList>{headings}</MeshHeadingList></MedlineCitation><PubmedData><ReferenceList>{references}"
        f'</ReferenceList><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId>'
        f'<ArticleId IdType="doi">10.9999/made-up.{pmid}</ArticleId></ArticleIdList></PubmedData></PubmedArticle>\n'
    )


def write_pdf(path: Path, pages: int) -> None:
    """Prose in two columns under a running head, with a heading now and then."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfgen.canvas import Canvas

    chance = random.Random(pages)
    canvas = Canvas(str(path), pagesize=A4)
    width, height = A4
    column = (width - 120) / 2
    for page in range(1, pages + 1):
        canvas.setFont("Times-Italic", 8)
        canvas.drawString(50, height - 40, f"Journal of made-up medicine, volume 1, page {page}")
        for left in (50, 70 + column):
            y = height - 70
            while y > 60:
                if chance.random() < 0.02:
                    canvas.setFont("Times-Bold", 11)
                    canvas.drawString(left, y, " ".join(chance.choices(WORDS, k=3)).capitalize())
                    y -= 16
                canvas.setFont("Times-Roman", 9.5)
                y = _paragraph(canvas, chance, left, column, y)
        canvas.showPage()
    canvas.save()


def _paragraph(canvas, chance: random.Random, left: float, column: float, y: float) -> float:
    line = ""
    for word in sentences(chance, chance.randint(40, 110)).split():
        if canvas.stringWidth(f"{line} {word}", "Times-Roman", 9.5) > column:
            canvas.drawString(left, y, line)
            line, y = "", y - 11.5
            if y <= 60:
                return y
        line = f"{line} {word}".strip()
    canvas.drawString(left, y, line)
    return y - 17


def write_small(folder: Path, count: int) -> None:
    """Markdown files of about 80 words."""
    chance = random.Random(count)
    for number in range(count):
        below = folder / f"{number // 500:03}"
        below.mkdir(exist_ok=True)
        text = f"# Guidance {number}\n\n{sentences(chance, 40)}\n\n## Dose\n\n{sentences(chance, 40)}\n"
        (below / f"guidance{number}.md").write_text(text, encoding="utf-8")
