"""``POST /v1/models/{name}/reload``: a retrained model takes the place of the old one."""

from http import HTTPStatus

from litestar import MediaType, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from service.answers import ModelDescription
from service.exchange import AnyRequest, read_body
from service.loading import allowed_folder
from service.openapi import ReloadOperation, problems
from service.schemas import ReloadRequest, parse_request
from service.tools import Tools


@post(
    "/v1/models/{name:str}/reload",
    status_code=HTTPStatus.OK,
    operation_id="reloadModel",
    summary="Load a model again",
    operation_class=ReloadOperation,
    responses=problems(400, 404, 408, 409, 413, 422, 503),
)
async def reload_model(
    request: AnyRequest, tools: NamedDependency[Tools], name: FromPath[str]
) -> Response[ModelDescription]:
    """Loads the model from its folder, or from another one, and serves it as soon as it is warm.

    No request fails meanwhile, and each is answered by one model wholly. What is damaged is refused, and the old model
    goes on.
    """
    body = await read_body(request, tools.settings)
    asked = parse_request(body, ReloadRequest) if body else ReloadRequest()
    folder = None if asked.folder is None else allowed_folder(asked.folder, root=tools.settings.models_root)
    made = await tools.siblings.reload(name, folder)
    return Response(made.model_dump_json(exclude_none=True).encode(), media_type=MediaType.JSON)  # type: ignore[arg-type]
