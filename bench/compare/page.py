"""The figures as tables: on the terminal, and between two marker lines of docs/performance.md."""
import statistics

from configurations import BOTH, CLIENT

BEGIN, END = "<!-- bench/compare/run writes from here -->", "<!-- to here -->"

# key, what it is, digits, the most (or least) that Ferry may have of NGINX's figure; None: no target
PLAIN_ROWS = (
    ("download1", "download, 1 stream, GiB/s", 3, (">=", 1.4)),
    ("download1_cpu", "- CPU s per GiB", 3, ("<=", 0.6)),
    ("download4", "download, 4 streams, GiB/s", 3, None),
    ("download4_cpu", "- CPU s per GiB", 3, None),
    ("upload1", "upload, 1 stream, GiB/s", 3, (">=", 1.4)),
    ("upload1_cpu", "- CPU s per GiB", 3, ("<=", 0.6)),
    ("upload4", "upload, 4 streams, GiB/s", 3, None),
    ("upload4_cpu", "- CPU s per GiB", 3, None),
    ("sessions", "sessions per second", 0, None),
    ("sessions_cpu", "- CPU ms per session", 3, None),
    ("noop_p50", "NOOP round trip, p50, µs", 0, ("<=", 1.5)),
    ("noop_p99", "NOOP round trip, p99, µs", 0, None),
    ("idle", "memory per idle session, KiB", 1, ("<=", 1.0)),
    ("resident", "- resident with all of them, MiB", 1, None),
    ("start", "exec to first banner, ms", 1, None),
)


def tls_transfers(link, counts):
    return tuple(row for way in ("download", "upload") for streams, many in counts for row in (
        (f"{link.prefix}{way}{streams}", f"{link.label}: {way}, {many}, GiB/s", 3, (">=", 1.1) if streams == 1 else None),
        (f"{link.prefix}{way}{streams}_cpu", "- CPU s per GiB", 3, ("<=", 1.1) if streams == 1 else None)))


TLS_ROWS = tls_transfers(BOTH, ((1, "1 stream"), (4, "4 streams"))) + tls_transfers(CLIENT, ((1, "1 stream"),)) + (
    ("client_full", f"{CLIENT.label}: full handshakes per CPU second", 0, (">=", 0.9)),
    ("client_full_rate", "- per second", 0, None),
    ("client_resumed", f"{CLIENT.label}: resumed handshakes per CPU second", 0, (">=", 0.9)),
    ("client_resumed_rate", "- per second", 0, None),
    ("both_resumed", f"{BOTH.label}: sessions resumed by the client, per CPU second", 0, None),
    ("both_resumed_rate", "- per second", 0, None),
    ("both_resumed_server", "- resumed by the proxy with the server, %", 0, None),
    ("client_full12", f"{CLIENT.label}, 1.2: full handshakes per CPU second", 0, None),
    ("client_resumed12", f"{CLIENT.label}, 1.2: resumed handshakes per CPU second", 0, None),
    ("client_idle", f"{CLIENT.label}: memory per idle session, KiB", 1, ("<=", 1.0)),
    ("client_resident", "- resident with all of them, MiB", 1, None),
)
TABLES = (("Plain FTP", PLAIN_ROWS), ("FTPS", TLS_ROWS))
START_LIMIT = 150   # ms, for Ferry alone: this target has no other proxy in it


def medians(results):
    """results: contender -> key -> figures of the rounds."""
    return {name: {key: statistics.median(values) for key, values in figures.items()} for name, figures in results.items()}


def ratio_of(ferry, nginx):
    """The median of the rounds' own ratios, None where there are none: in a round the two run one behind the other, and a shared machine is slower in some rounds than in others."""
    ratios = [one / other for one, other in zip(ferry, nginx) if other]
    return statistics.median(ratios) if ratios else None


def judged(key, target, ferry, ratio):
    """The ratio, the target and whether it is met, as text; blanks where there is nothing to say."""
    shown = f"{ratio:.2f}" if ratio is not None else ""
    if key == "start":
        return shown, f"<= {START_LIMIT} ms", "" if ferry is None else "yes" if ferry <= START_LIMIT else "**no**"
    if target is None:
        return shown, "", ""
    sign, limit = target
    met = "" if ratio is None else "yes" if (ratio <= limit if sign == "<=" else ratio >= limit) else "**no**"
    return shown, f"{sign} {limit} x NGINX", met


def grid(kinds, results, rows):
    """A table of figures as rows of cells, heading first."""
    middle = medians(results)
    cells_of = [["measure"] + [kind.label for kind in kinds] + ["Ferry / NGINX", "target", "met"]]
    for key, what, digits, target in rows:
        cells = [middle[kind.name].get(key) for kind in kinds]
        if any(cell is not None for cell in cells):
            ratio = ratio_of(*(results.get(name, {}).get(key, []) for name in ("ferry", "nginx")))
            cells_of.append([what] + ["-" if cell is None else f"{cell:.{digits}f}" for cell in cells]
                            + list(judged(key, target, middle.get("ferry", {}).get(key), ratio)))
    return cells_of


def spread(kinds, results, rows):
    """Lowest and highest of the rounds: how far the medians can be trusted."""
    cells_of = [["measure"] + [kind.label for kind in kinds]]
    for key, what, digits, _ in rows:
        cells = [results[kind.name].get(key) for kind in kinds]
        if any(cells):
            cells_of.append([what] + [f"{min(values):.{digits}f} - {max(values):.{digits}f}" if values else "-" for values in cells])
    return cells_of


def tables(kinds, results):
    """Title, figures and spread of each table that has any figure."""
    made = [(title, grid(kinds, results, rows), spread(kinds, results, rows)) for title, rows in TABLES]
    return [one for one in made if len(one[1]) > 1]


def plain(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.replace("**", "").ljust(width) if column == 0 else cell.replace("**", "").rjust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---|" + "---:|" * (len(rows[0]) - 1)] + lines[1:])


def section(kinds, results, facts, settings, configurations):
    parts = ["", "\n".join(f"* {name}: {value}" for name, value in facts), ""]
    for title, figures, extremes in tables(kinds, results):
        parts += [f"### {title}", "", markdown(figures), "", "Lowest and highest of the rounds:", "", markdown(extremes), ""]
    parts += ["### Settings", "", "\n".join(f"* {line}" for line in settings), ""]
    for label, text in configurations:
        language = "nginx" if label.startswith("Ferry") else "text"   # the tests hold what is marked nginx to Ferry's own grammar
        parts += [f"{label} (one data port is shown; the others are like it):", "", f"```{language}", text.rstrip(), "```", ""]
    return "\n".join(parts)


def write(path, text):
    """Replaces what stands between the markers; the prose around them belongs to people."""
    with open(path, encoding="utf-8") as file:
        page = file.read()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} lacks the lines '{BEGIN}' and '{END}'")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + text + "\n" + END + after)
