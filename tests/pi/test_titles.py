"""What a subagent's prompt says of its task, as pi-subagents 0.34 and 0.67 write it."""

import pytest

from pi_opensync.pi.titles import is_a_name, task_of

WHERE_TO = "\n\n---\n**Output:**\nWrite your findings to exactly this path: /home/user/context.md"
OF_A_FORK = (
    "You are a delegated subagent running from a fork of the parent session. "
    "Your sole job is to execute the task below.\n\nTask:\n"
)


@pytest.mark.parametrize(
    "prompt",
    [
        "Task: Look at the tests",
        f"Task: Look at the tests{WHERE_TO}",
        f"Task: [Write to: /home/user/context.md]\n\nLook at the tests{WHERE_TO}",
        f"Task: [Read from: /home/user/a.md]\n[Write to: /home/user/b.md]\n\nLook at the tests{WHERE_TO}",
        f"Task: [Read from: /home/user/a.md, /home/user/plan.md]\n\n{OF_A_FORK}Look at the tests{WHERE_TO}",
    ],
    ids=["alone", "with-output", "a-step-that-writes", "a-step-that-reads", "forked"],
)
def test_the_task_stands_without_the_words_around_it(prompt: str) -> None:
    assert task_of(prompt) == "Look at the tests"


def test_what_an_extension_calls_a_session_is_no_name() -> None:
    assert not is_a_name("subagent-scout-7541b943-b47f-489b-8f95-e94a9e02ac5a-1")
    assert is_a_name("subagents for the login page")
