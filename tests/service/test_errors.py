"""The table of exceptions: every row is answered as it says, over every kind of error there is."""

import inspect
import json
import logging

import pytest
from litestar import Litestar, Request
from litestar.exceptions import MethodNotAllowedException, NotFoundException, PermissionDeniedException
from litestar.testing import RequestFactory

import service.errors
import taggers.errors
from service.answers import Problem
from service.errors import (
    PROBLEM_JSON,
    TABLE,
    BadRequest,
    FieldError,
    QueueFull,
    ServiceError,
    answer_problem,
)
from taggers.errors import InvalidText, ModelFolderError, ModelNotFound, UnknownTask


def request() -> Request:
    return RequestFactory(Litestar(logging_config=None, openapi_config=None)).post(
        "/v1/tag", headers={"X-Request-ID": "mine"}
    )


def answer(error: Exception) -> tuple[int, Problem, dict[str, str]]:
    response = answer_problem(request(), error)
    assert response.media_type == PROBLEM_JSON
    problem = Problem.model_validate_json(response.content)
    assert problem.status == response.status_code
    assert problem.type.startswith("urn:tagline:problem:")
    return response.status_code, problem, response.headers


@pytest.mark.parametrize("kind", TABLE)
def test_every_row_answers_as_it_says(kind: type[Exception]) -> None:
    names = inspect.signature(kind.__init__).parameters
    given = {
        "retry_after_s": 3,
        "position": 2,
        "code_point": 0xD800,
        "task": "t",
        "known": ["k"],
        "name": "n",
        "detail": "what",
    }
    arguments = {name: value for name, value in given.items() if name in names}
    error = kind(**arguments) if arguments else kind("what")
    status, problem, _ = answer(error)
    assert status == TABLE[kind].status
    assert problem.title == TABLE[kind].title
    assert problem.detail == str(error)


def test_every_exception_of_the_service_has_a_row_and_a_place_in_the_tree() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(service.errors, inspect.isclass)
        if issubclass(kind, ServiceError) and kind is not ServiceError
    ]
    assert kinds
    for kind in kinds:
        assert kind in TABLE
        assert kind.__name__ in (service.errors.__doc__ or "")
    assert {kind for kind in TABLE if kind.__module__ == taggers.errors.__name__}


def test_bad_fields_are_listed() -> None:
    _, problem, _ = answer(BadRequest("two", [FieldError("a.0", "no"), FieldError("b", "neither")]))
    assert [(field.path, field.message) for field in problem.errors or ()] == [("a.0", "no"), ("b", "neither")]
    assert answer(UnknownTask("x", ["y"]))[1].errors[0].path == "tasks"  # type: ignore[index]
    assert answer(ModelNotFound("x", ["y"]))[1].errors[0].path == "model"  # type: ignore[index]
    assert answer(InvalidText(3, 0xD800))[1].errors is None


def test_a_full_queue_says_when_to_come_back() -> None:
    status, _, headers = answer(QueueFull("full", retry_after_s=7))
    assert (status, headers["Retry-After"]) == (429, "7")


def test_a_class_without_a_row_is_answered_as_its_base() -> None:
    assert answer(ModelFolderError("folder", "damaged"))[0] == 400


def raised(error: Exception) -> Exception:
    """The exception with a traceback."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.mark.parametrize("error", [ZeroDivisionError("secret"), KeyError("/secret/path"), MemoryError("secret")])
def test_our_mistakes_go_to_the_log_and_no_further(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "tagline"):
        status, problem, _ = answer(raised(error))
    assert status == 500
    assert "secret" not in problem.model_dump_json()
    assert "mine" in problem.detail
    assert "mine" in caplog.text
    assert "Traceback" in caplog.text
    assert "secret" in caplog.text


def test_what_litestar_refuses_is_a_problem_too() -> None:
    status, problem, _ = answer(NotFoundException())
    assert (status, problem.detail) == (404, "there is nothing at /v1/tag; /schema describes what there is")
    status, problem, headers = answer(MethodNotAllowedException(headers={"allow": "GET"}))
    assert (status, problem.detail, headers["allow"]) == (405, "/v1/tag does not take POST", "GET")
    assert answer(PermissionDeniedException("no entry"))[1].detail == "no entry"


def test_bodies_are_json_objects() -> None:
    assert json.loads(answer_problem(request(), BadRequest("x")).content) == {
        "type": "urn:tagline:problem:bad-request",
        "title": "The request is not what the interface demands",
        "status": 400,
        "detail": "x",
    }
