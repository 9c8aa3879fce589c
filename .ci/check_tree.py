"""Checks what no compiler sees: links of documents, lengths of files, modes of scripts, words that have no place in the tree."""
import os
import re
import subprocess
import sys

LONGEST = 300
SCRIPTS = ["run", "test", "build", ".ci/run", "bench/compare/run"]

# Cut in two, so that this file does not contain them: folders outside the tree, and hosts of package registries.
FORBIDDEN = [
    ".." + "/shared", "/work" + "/", "nuget" + ".org", "npmjs" + ".", "pypi" + ".org", "pythonhosted" + ".org", "crates" + ".io",
    "proxy.golang" + ".org", "rubygems" + ".org", "deb.debian" + ".org", "repo1.maven" + ".org",
]


def tracked():
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True, capture_output=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    return [name for name in names if os.path.isfile(name)]


def headings(path):
    """The anchors of a page, as its readers' software makes them."""
    anchors = set()
    fenced = False
    with open(path, encoding="utf-8") as page:
        for line in page:
            if line.startswith("```"):
                fenced = not fenced
            match = re.match(r"#+ +(.*)", line)
            if match and not fenced:
                anchors.add(re.sub(r"[^\w\- ]", "", match[1].strip().lower()).replace(" ", "-"))
    return anchors


def links(path):
    with open(path, encoding="utf-8") as page:
        text = re.sub(r"```.*?```", "", page.read(), flags=re.DOTALL)
    for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(goal):
            yield f"{path}: the link {target} leads nowhere"
        elif anchor and goal.endswith(".md") and anchor not in headings(goal):
            yield f"{path}: the page of the link {target} has no such heading"


def findings():
    for path in SCRIPTS:
        if not os.path.isfile(path):
            yield f"{path}: is missing"
        elif not os.access(path, os.X_OK):
            yield f"{path}: is not executable"
    for path in tracked():
        with open(path, "rb") as file:
            content = file.read()
        if content.startswith(b"#!") and not os.access(path, os.X_OK):
            yield f"{path}: begins with #! and is not executable"
        if path.endswith(".cs") and path.startswith(("src/", "tests/")) and content.count(b"\n") > LONGEST:
            yield f"{path}: has more than {LONGEST} lines"
        for word in FORBIDDEN:
            if word.encode() in content:
                yield f"{path}: contains {word}"
        if path.endswith(".md"):
            yield from links(path)


found = list(findings())
print("\n".join(found) if found else "the tree is in order")
sys.exit(1 if found else 0)
