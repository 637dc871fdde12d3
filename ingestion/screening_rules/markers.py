"""The marks that part the turns of a conversation, and the calls of tools, which no medical text holds."""

import re

DIALOGUE = re.compile(r"\b(?:user|human|question) ?:.{1,400}?[\n.!?>\]-]\s{0,3}assistant:", re.S)
SYMBOL_RULE = re.compile(
    r"""<\|\s?[\w▁ /:-]{2,40}\s?\|>|\[/?inst\]|<</?sys>>|\[/?system(?:_prompt| prompt| message)?\]|"""
    r"""</?(?:start_of_turn|end_of_turn|s>\s{0,3}\[|tool_calls?|tool_response|tool_result|"""
    r"""function_calls?|function_results?|function=\w|invoke\b|antml:|system(?:_prompt|-prompt|_message|"""
    r"""-reminder)?>|assistant>|user>|human>|instructions?>|prompt>|im_start|im_end|\|)|(?:\A|"""
    r"""[\n.])\s{0,3}#{2,4}\s?(?:system|instructions?|human|assistant|user|response|input|new (?:task|"""
    r"""instructions?))\s?:|\{\{?#?\s?(?:system|user|assistant)[~\s}]|[\"'](?:tool_calls?|"""
    r"""function_calls?|tool_use|tool_choice|tool_call_id)[\"']\s{0,3}:|"""
    r"""[\"']role[\"']\s{0,3}:\s{0,3}[\"'](?:system|assistant|user|tool|developer)[\"']|[\"'](?:name|"""
    """function|tool|tool_name|action|recipient_name|"""
    r"""command)[\"']\s{0,3}:\s{0,3}[\"'][^\"'\n]{1,80}[\"']\s{0,3},\s{0,3}[\"'](?:arguments|parameters|"""
    r"""args|input|action_input|params|kwargs|tool_input)[\"']"""
)
