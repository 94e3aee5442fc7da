import asyncio

from service.account import current_account, open_account


def test_tasks_that_a_request_starts_find_its_account_and_no_other() -> None:
    async def request(tokens: int) -> int:
        account = open_account()

        async def work() -> None:
            await asyncio.sleep(0)
            current_account().add_documents("tiny", documents=1, tokens=tokens)

        await asyncio.gather(work(), asyncio.create_task(work()))
        assert (account.model, account.documents) == ("tiny", 2)
        return account.tokens

    async def scenario() -> list[int]:
        return list(await asyncio.gather(*(asyncio.create_task(request(tokens)) for tokens in range(5))))

    assert asyncio.run(scenario()) == [0, 2, 4, 6, 8]


def test_outside_of_requests_nobody_reads_it() -> None:
    current_account().add_problem("x")
    assert not current_account().problems
