"""What GitHub runs and shows: workflows, Dependabot, forms. Linted without the network, and held to our own rules."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.y*ml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.y*ml"))
SCHEMAS = {"github-workflows": WORKFLOWS, "dependabot": [GITHUB / "dependabot.yml"],
           "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
           "github-issue-forms": [path for path in FORMS if path.stem != "config"]}
POSIX = pytest.mark.skipif(os.name == "nt" or not shutil.which("bash"), reason="a POSIX shell is needed")


def load(path):
    """A workflow; YAML 1.1 reads its key `on` as True."""
    return {("on" if key is True else key): value
            for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


def jobs():
    """(name, job) of every job of every workflow."""
    return [pytest.param(job, id=f"{path.stem}-{name}") for path in WORKFLOWS
            for name, job in load(path)["jobs"].items()]


def steps():
    """(name, step) of every step of every job."""
    return [pytest.param(step, id=f"{path.stem}-{name}-{number}") for path in WORKFLOWS
            for name, job in load(path)["jobs"].items() for number, step in enumerate(job.get("steps", ()), 1)]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_files_follow_their_schema(schema):
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}",
                           *map(str, SCHEMAS[schema])], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_pass_a_linter():
    """zizmor: expressions in scripts, credentials that stay, actions that may move, rights that are not needed."""
    found = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    done = subprocess.run([found, "--offline", "--no-progress", "--min-severity=medium", *map(str, WORKFLOWS)],
                          capture_output=True, text=True, encoding="utf-8", timeout=120,
                          env={name: value for name, value in os.environ.items() if not name.startswith("GH_")})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_few_rights_and_does_not_pile_up(path):
    workflow = load(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert "concurrency" in workflow or set(workflow["on"]) == {"workflow_call"}
    assert "pull_request_target" not in workflow["on"]


@pytest.mark.parametrize("job", jobs())
def test_a_job_ends_and_writes_issues_at_most(job):
    assert "uses" in job or 0 < job["timeout-minutes"] <= 60
    assert {right for right, kind in job.get("permissions", {}).items() if kind == "write"} <= {"issues"}


@pytest.mark.parametrize("step", steps())
def test_a_step_runs_a_file_that_is_here_or_a_pinned_action(step):
    if "uses" in step:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), "pin it to a commit, its version behind it"
    for script in re.findall(r"(?:^|\s)((?:tools|\.ci)/[\w./-]+)", step.get("run", "")):
        assert (ROOT / script).is_file(), script
    for target in re.findall(r"make ([\w.-]+)", step.get("run", "")):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), target


def test_one_action_has_one_version_everywhere():
    pins = re.findall(r"uses: ([\w-]+/[\w-]+)@(\w+)  # (v[\d.]+)\n",
                      "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS))
    assert len(pins) == sum("uses" in param.values[0] for param in steps())
    assert len(set(pins)) == len({name for name, *_ in pins})


def test_two_workflows_try_the_ends_of_the_ranges_every_week():
    commands = {}
    for name in ("newest", "oldest"):
        workflow = load(GITHUB / "workflows" / f"{name}.yml")
        assert set(workflow["on"]) == {"schedule", "workflow_dispatch"}
        assert re.fullmatch(r"\d+ \d+ \* \* [0-6]", workflow["on"]["schedule"][0]["cron"])
        assert workflow["jobs"]["report"]["if"] == "failure()" and workflow["jobs"]["report"]["needs"] == "test"
        commands[name] = [step.get("run", "") for step in workflow["jobs"]["test"]["steps"]]
    assert "make lock" in commands["newest"] and ".ci/run" in commands["newest"]
    assert "make lock RESOLUTION=lowest-direct" in commands["oldest"]
    oldest = load(GITHUB / "workflows" / "oldest.yml")["jobs"]["test"]["steps"][1]["with"]["python-version"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"].startswith(f">={oldest},")


@POSIX
@pytest.mark.parametrize("step", steps())
def test_a_script_is_sound_shell(step):
    script = re.sub(r"\$\{\{.*?\}\}", "x", step.get("run", ""))
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""


@POSIX
@pytest.mark.parametrize("found, expected", [("", "issue create --title It broke --body"),
                                             ("7", "issue comment 7 --body It failed in this run: https://run/1")])
def test_a_failure_opens_one_issue_and_later_ones_are_added(tmp_path, found, expected):
    step, = load(GITHUB / "workflows" / "report.yml")["jobs"]["issue"]["steps"]
    assert "${{" not in step["run"]  # what a workflow is given goes by the environment, never into the script
    fake, log = tmp_path / "gh", tmp_path / "log"
    fake.write_text(f'#!/bin/sh\ncase "$2" in list) printf "%s" "{found}";; *) echo "$@" > "{log}";; esac\n',
                    encoding="utf-8")
    fake.chmod(0o755)
    done = subprocess.run(["bash", "-e", "-c", step["run"]], capture_output=True, text=True,
                          env={"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "TITLE": "It broke",
                               "RUN": "https://run/1"})
    assert done.returncode == 0, done.stderr
    assert log.read_text(encoding="utf-8").startswith(expected)


def test_what_is_told_about_a_failure_is_in_the_contributors_page():
    told = re.search(r'CONTRIBUTING.md, \\"(.+?)\\"', (GITHUB / "workflows" / "report.yml").read_text("utf-8"))[1]
    assert f"## {told}\n" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("ecosystem", ["pip", "github-actions"])
def test_dependabot_asks_once_a_month_for_all_together(ecosystem):
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    update, = (each for each in updates if each["package-ecosystem"] == ecosystem)
    assert update["schedule"] == {"interval": "monthly"} and update["directory"] == "/" and len(update["groups"]) == 1


# The changelog

def test_the_version_has_a_section_in_the_changelog():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d|unreleased))?$", text, re.MULTILINE)
    assert headings[0] == ("Unreleased", "") and version in [name for name, _ in headings[1:]]
    assert all(when for _, when in headings[1:])
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
