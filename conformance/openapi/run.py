"""Asks every route what schemathesis thinks of, as everybody who may come, and holds the answers against the document.

See README.md. Ends with `N passed, N failed`.
"""

import collections
import concurrent.futures
import copy
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True

import document as documents  # noqa: E402
import exclusions  # noqa: E402
from stage import Stage  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SEED = int(os.environ.get("OPENAPI_SEED", "20260101"))
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "5"))
PHASES = "examples,coverage,fuzzing,stateful"
NO_LIMITS = {f"TESSERA_LIMITS__{name}": "0" for name in
             ("PENDING_FLOWS", "CONNECTS_PER_MINUTE", "CALLS_PER_MINUTE", "READS_PER_SECOND")}
LIMITS = {"TESSERA_LIMITS__CONNECTS_PER_MINUTE": "2", "TESSERA_LIMITS__CALLS_PER_MINUTE": "5",
          "TESSERA_LIMITS__READS_PER_SECOND": "1"}
LIMITED = {"user": ["call", "bindings", "connect"], "acting": ["getOAuth2User"]}
# Successes that no run can bring about, and why.
UNSEEN = {
    ("complete", "200"): "A state can be redeemed once, by the browser that began: the tests of the flow do so.",
    ("readyz", "503"): "The store answers.",
    ("chooseAccount", "200"): "It answers a page that is shown once, at the end of a flow: the tests of managed connections do so.",
    ("beginDevice", "201"): "No App here is managed for longer than its record is tried: the tests of devices do so.",
    ("deviceState", "200"): "The same.",
    ("probeProvider", "200"): "The same.",
}


# What is there besides what a stage names, and which operation's `name` is of which kind.
KNOWN = {"user": ["me"], "app": ["hello"], "username": ["user-1", "sysadmin"], "teamname": ["tessera"],
         "channelname": ["town-square", "off-topic"], "asset": ["icon.png"]}
NAMES = {"getUserByName": "username", "getTeamByName": "teamname", "getChannelByName": "channelname", "getStatic": "asset"}


RUNNING = set()
STOPPING = threading.Event()


def stop(*_):
    """Whoever ends this program ends what it started."""
    STOPPING.set()
    for process in list(RUNNING):
        process.kill()
    sys.exit("stopped")


class Tally:
    """What passed and what failed."""

    def __init__(self):
        self.passed = self.failed = self.cases = 0
        self.checks = collections.Counter()
        self.seen = collections.defaultdict(set)

    def note(self, good, what, told=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}\n{told}".rstrip(), flush=True)


def excluded(who, operations):
    """For one identity: the operations that are left out, and the checks that are not made of each."""
    def named(exclusion):
        for name in exclusion.operations:
            if name.startswith("tag:"):
                yield from (key for key, (_, tag, _) in operations.items() if tag == name[4:])
            elif name in operations:
                yield name
            else:
                raise ValueError(f"the table of exclusions names {name}, which the document does not have")

    out = {name for exclusion in exclusions.OPERATIONS if who in exclusion.who for name in named(exclusion)}
    checks = collections.defaultdict(set)
    for exclusion in exclusions.CHECKS:
        if who in exclusion.who:
            for name in named(exclusion):
                checks[name].update(exclusion.checks)
    return out, checks


def known(parameter, dictionary=None):
    return f'"path.{parameter}" = {{ dictionary = "{dictionary or parameter}", probability = 0.5 }}'


def configuration(stage, credentials, out, checks, alone):
    lines = [f"seed = {SEED}", "continue-on-failure = true", "warnings = false", "request-timeout = 30",
             "[generation]", f"max-examples = {EXAMPLES}", 'database = "none"', "[output.sanitization]", "enabled = false",
             # The document's own links, and no guesses: those lead to paths with empty segments.
             "[phases.stateful.inference]", "algorithms = []",
             "[phases.stateful.generation]", f"max-examples = {EXAMPLES * 8}"]
    if alone:
        for phase in ("examples", "coverage", "fuzzing"):
            lines += [f"[phases.{phase}.extra-data-sources]", "responses = false"]
    for scheme, member, value in credentials:
        lines += [f"[auth.openapi.{scheme}]", f'{member} = "{value}"']
    # Half of the names are of what is there, for a path to nowhere shows little.
    for name, values in {**{kind: [stage.names[kind]] for kind in ("team", "channel", "post")}, **KNOWN}.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines += ["[parameters]"] + [known(name) for name in ("team", "channel", "post", "user", "app")]
    for operation in sorted(out | set(checks) | set(NAMES)):
        lines += ["[[operations]]", f'include-operation-id = "{operation}"', f"enabled = {str(operation not in out).lower()}"]
        if operation in NAMES:
            lines += [f"parameters.{known('name', NAMES[operation])}"]
        lines += [f"checks.{check}.enabled = false" for check in sorted(checks.get(operation, ()))]
    return "\n".join(lines) + "\n"


def schemathesis(stage, who, prepared, credentials, out, checks, phases=PHASES, alone=False):
    """One run: its exit code, what it told, and its events."""
    folder = pathlib.Path(os.environ.get("OPENAPI_REPORTS", stage.folder.name)) / re.sub(r"\W+", "-", who)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "openapi.json").write_text(json.dumps(prepared), encoding="utf-8")
    (folder / "schemathesis.toml").write_text(configuration(stage, credentials, out, checks, alone), encoding="utf-8")
    program = shutil.which("schemathesis", path=str(pathlib.Path(sys.executable).parent)) or "schemathesis"
    command = [program, "--config-file", "schemathesis.toml", "--no-color", "run", "openapi.json", "--url", stage.site,
               "--phases", phases, "--report", "ndjson", "--report-ndjson-path", "events.ndjson"]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "checks", "PYTHONDONTWRITEBYTECODE": "1"}
    told = folder / "told.txt"
    if STOPPING.is_set():
        sys.exit("stopped")
    with told.open("w", encoding="utf-8") as out_file, subprocess.Popen(
        command, cwd=folder, env=environment, stdout=out_file, stderr=subprocess.STDOUT
    ) as process:
        RUNNING.add(process)
        try:
            code = process.wait(900)
        finally:
            process.kill()
            RUNNING.discard(process)
    events = folder / "events.ndjson"
    lines = events.read_text(encoding="utf-8").splitlines() if events.exists() else []
    return code, told.read_text(encoding="utf-8"), [json.loads(line) for line in lines]


def reckon(tally, who, operations, out, code, told, events):
    """Each operation counts as one, and so do the stateful scenarios of an identity."""
    asked, broken, errors, stateful, followed = collections.Counter(), set(), [], None, 0
    for event in events:
        kind, event = next(iter(event.items()))
        if kind in ("NonFatalError", "FatalError"):
            errors.append(json.dumps(event)[:2000])
        if kind != "ScenarioFinished":
            continue
        recorder, failed = event["recorder"], event["status"] in ("failure", "error")
        for key, case in recorder.get("cases", {}).items():
            value = case["value"]
            asked[f"{value['method']} {value['path']}"] += 1
            tally.cases += 1
            followed += case["is_transition_applied"]
            answer = recorder.get("interactions", {}).get(key, {}).get("response")
            if answer:
                tally.seen[f"{value['method']} {value['path']}"].add(str(answer["status_code"]))
            for made in recorder.get("checks", {}).get(key, []):
                tally.checks[made["name"]] += 1
        if event["phase"] == "stateful":
            stateful = bool(stateful) or failed
        elif failed:
            broken.add(recorder["label"])
    before = tally.failed
    for name, (label, _, _) in operations.items():
        if name not in out:
            tally.note(label not in broken and asked[label], f"{who}: {label}", "" if asked[label] else "it was not asked")
    if stateful is not None:
        # Who may do nothing gets nowhere from where links lead on.
        tally.note(not stateful and (followed or who == "anonymous"), f"{who}: {followed} links followed")
    for error in errors:
        tally.note(False, f"{who}: an error of the run", error)
    if code and tally.failed == before:
        tally.note(False, f"{who}: exit code {code}")
    if tally.failed != before:
        print(told, flush=True)
    print(f"{who}: {len(operations) - len(out)} operations, {sum(asked.values())} cases", flush=True)


def bearer(who):
    return [("bearer", "bearer", who["token"])]


def unlimited(tally, document):
    operations = documents.operations(document)
    last, providers = (exclusions.OPERATIONS[number].operations for number in (1, 2))
    with Stage(NO_LIMITS) as stage:
        served = stage.send("GET", "/plugins/com.mattermost.apps/tessera/v1/openapi.json", {})[2]
        tally.note(served == document, "the document that is served is the one in the source")
        ending = stage.sign_in("user-2")
        prepared = documents.prepare(document, stage.names, stage.forms)
        people = {
            "anonymous": [],
            "user": [("session", "api_key", stage.user["token"]), ("csrf", "api_key", stage.user["csrf"])],
            "administrator": bearer(stage.admin),
            "App, acting user": bearer(stage.acting),
            "App, bot": bearer(stage.bot),
        }
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            runs = {}
            for who, credentials in people.items():
                out, checks = excluded(who, operations)
                runs[who] = out, pool.submit(schemathesis, stage, who, prepared, credentials, out, checks)
            for who, (out, run) in runs.items():
                reckon(tally, who, operations, out, *run.result())
        names = {**stage.names, "user": stage.other["id"]}
        # Others have listed it with addresses of their own, and ended the user's connection.
        stage.list("hello")
        stage.connect()
        for who, credentials, wanted in (
            ("session that ends", bearer(ending), ["logout"]),
            ("administrator, of providers", bearer(stage.admin), providers),
            ("administrator, at the end", bearer(stage.admin), last),
        ):
            out, (_, checks) = set(operations) - set(wanted), excluded(who, operations)
            prepared_again = documents.prepare(document, stage.names if wanted == providers else names, {})
            run = schemathesis(stage, who, prepared_again, credentials, out, checks, "examples,coverage,fuzzing", True)
            reckon(tally, who, operations, out, *run)
        self_test(tally, stage, prepared)
        tally.note(stage.server.poll() is None, "the server is still there", stage.told())


def limited(tally, document):
    """With limits so low that they are met: 429 is as the document has it."""
    with Stage(LIMITS) as stage:
        prepared, operations = documents.prepare(document, stage.names, {}), documents.operations(document)
        _, checks = excluded("limits", operations)
        for person, wanted in LIMITED.items():
            before, tally.seen = tally.seen, collections.defaultdict(set)
            who, out = bearer(getattr(stage, person)), set(operations) - set(wanted)
            run = schemathesis(stage, f"limits, {person}", prepared, who, out, checks, "examples,coverage", True)
            reckon(tally, f"limits, {person}", operations, out, *run)
            for name in wanted:
                label = operations[name][0]
                tally.note("429" in tally.seen[label], f"limits: {label} was never answered with 429")
            for label, statuses in tally.seen.items():
                before[label] |= statuses
            tally.seen = before


def self_test(tally, stage, prepared):
    """A document that lies must be found out, by the check whose business it is; else the run proves nothing."""
    def nothing(_):
        pass

    def status(operation):
        operation["responses"]["201"] = operation["responses"].pop("200")

    def kind(operation):
        content = operation["responses"]["200"]["content"]
        content["text/html"] = content.pop("application/json")

    def header(operation):
        operation["responses"]["200"]["headers"]["X-Never"] = {"required": True, "schema": {"type": "string"}}

    def member(operation):
        operation["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "object", "required": ["never"]}

    def security(operation):
        operation["security"] = [{"bearer": []}]

    operations = documents.operations(prepared)
    _, checks = excluded("anonymous", operations)
    for lie, found_by in (
        (nothing, set()),
        (status, {"status_code_conformance"}),
        (kind, {"content_type_conformance"}),
        (header, {"response_headers_conformance"}),
        (member, {"response_schema_conformance"}),
        (security, {"ignored_auth", "missing_required_header", "negative_data_rejection"}),
    ):
        false = copy.deepcopy(prepared)
        lie(documents.operations(false)["ping"][2])
        who = f"the self-test `{lie.__name__}`"
        code, told, events = schemathesis(stage, who, false, [], set(operations) - {"ping"}, checks, "coverage", True)
        failed = {check["name"] for event in events if "ScenarioFinished" in event
                  for made in event["ScenarioFinished"]["recorder"].get("checks", {}).values()
                  for check in made if check["status"] == "failure"}
        good = code == (1 if found_by else 0) and failed == found_by
        tally.note(good, f"{who}: exit code {code}, found by {failed}", told)


def successes(tally, document):
    """Every success that the document promises was seen, by whomever."""
    for name, (label, _, operation) in documents.operations(document).items():
        for status in operation["responses"]:
            if status[0] == "2":
                seen, reason = status in tally.seen[label], UNSEEN.get((name, status))
                tally.note(seen or bool(reason), f"{label} never answered {status}")
    rest = sorted(f"{label} {status}" for label, _, operation in documents.operations(document).values()
                  for status in operation["responses"]
                  if status[0] in "34" and status not in tally.seen[label] and (status, label) not in UNSEEN)
    print(f"{len(rest)} other statuses of the document were not seen in this run")
    if os.environ.get("OPENAPI_VERBOSE"):
        print("\n".join(rest))


def main():
    signal.signal(signal.SIGTERM, stop)
    began, tally, document = time.monotonic(), Tally(), documents.load()
    print(f"seed {SEED}, at most {EXAMPLES} examples for each operation and phase", flush=True)
    count = documents.check(document)
    tally.note(True, f"the document is OpenAPI 3.1, and its {count} examples fit")
    unlimited(tally, document)
    limited(tally, document)
    successes(tally, document)
    made = ", ".join(f"{name} {many}" for name, many in sorted(tally.checks.items()))
    print(f"{tally.cases} cases; checks made: {made}")
    print(f"took {time.monotonic() - began:.0f} s")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
