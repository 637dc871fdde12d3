"""How text that gives orders to a language model is worded, in English and Chinese, and a little in other languages."""

from ingestion.screening_rules.answer import ANSWER_RULES
from ingestion.screening_rules.chinese import CHINESE_RULES
from ingestion.screening_rules.markers import DIALOGUE, SYMBOL_RULE
from ingestion.screening_rules.reader import READER_RULES
from ingestion.screening_rules.task import TASK_RULES

WORD_RULES = (*READER_RULES, *ANSWER_RULES, *TASK_RULES)

__all__ = ["CHINESE_RULES", "DIALOGUE", "SYMBOL_RULE", "WORD_RULES"]
