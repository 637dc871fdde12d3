"""A set's instruction with the text or question in its place."""

from rag.taiyi_tasks.types import Instance, TaskSet


def prompt_of(task: TaskSet, instance: Instance) -> str:
    comma = "，" if task.language == "zh" else ", "
    labels = comma.join((*task.labels, task.none) if task.none else task.labels)
    asked = instance.question
    if asked is None:
        return task.ask.format(text=instance.text, labels=labels)
    options = "\n".join(f"{letter}. {text}" for letter, text in asked.options.items())
    context = " ".join(asked.evidence)
    return task.ask.format(question=asked.question, options=options, context=context, labels=labels)
