using System.IO;

namespace Ferry.Config;

/// <summary>Takes the values out of a tree of directives, by the rows of the <see cref="DirectiveTable"/>.</summary>
/// <param name="findings">What is found wrong.</param>
/// <param name="prefix">Where names of files that Ferry writes begin.</param>
/// <param name="folder">Where names of files that it reads begin, as in nginx: the folder of the main file.</param>
internal sealed partial class ConfigBinder(ConfigFindings findings, string prefix, string folder)
{
    private ServerDraft? _server;
    private UpstreamDraft? _upstream;

    public MainDraft Main { get; } = new();

    /// <summary>The block whose values are being set: a server, or <c>stream</c>.</summary>
    public ConfigScope Scope => _server?.Scope ?? Main.Stream;

    public void Bind(List<ConfigNode> nodes)
    {
        DeclareVariables(nodes);
        BindBlock(nodes, ConfigContexts.Main);
    }

    private void BindBlock(List<ConfigNode> nodes, ConfigContexts context)
    {
        Dictionary<Directive, ConfigNode> seen = [];
        foreach (var node in nodes)
        {
            if (findings.IsFull)
                return;
            BindNode(node, context, seen);
        }
    }

    private void BindNode(ConfigNode node, ConfigContexts context, Dictionary<Directive, ConfigNode> seen)
    {
        var name = node.Name.Text;
        if (DirectiveTable.Find(name, context, node.Block is not null) is { } directive)
        {
            BindDirective(directive, node, seen);
            return;
        }
        if (DirectiveTable.Elsewhere(name, node.Block is not null) is { } elsewhere)
        {
            findings.Error(node.Name, elsewhere.Refusal
                ?? $"{ConfigFindings.Show(name)} is not allowed in {Directive.NameOf(context)}; it belongs in {elsewhere.ContextNames}");
            // What a misplaced block holds is still looked at, and what it names is known.
            if (node.Block is not null && elsewhere.Opens != ConfigContexts.None)
                elsewhere.Set?.Invoke(this, node);
            return;
        }
        var meant = DirectiveTable.Meant(name, context);
        findings.Error(node.Name,
            $"unknown directive {ConfigFindings.Show(name)}{(meant is null ? "" : $"; did you mean \"{meant.Name}\"?")}");
        if (meant is null)
            return;
        // Taken for what was probably meant, so that its absence is not reported as well.
        var wasMuted = findings.IsMuted;
        findings.IsMuted |= !meant.IsBlock;
        if (meant.IsBlock == (node.Block is not null) && meant.Contexts.HasFlag(context))
            BindDirective(meant, node, []);
        findings.IsMuted = wasMuted;
    }

    private void BindDirective(Directive directive, ConfigNode node, Dictionary<Directive, ConfigNode> seen)
    {
        var name = directive.Name;
        if (directive.Status == DirectiveStatus.NotYet)
        {
            if (directive.Neutral is null || node.Arguments is not [var only] || only.Text != directive.Neutral)
                findings.Error(node.Name, NotYet(name, directive));
            directive.Set?.Invoke(this, node);
            return;
        }
        if (directive.Status == DirectiveStatus.NoMeaning)
        {
            findings.Note(node.Name, name, $"\"{name}\" has no meaning here: {directive.Reason}");
            return;
        }
        if (directive.IsBlock != node.Block is not null)
        {
            findings.Error(node.Name, directive.IsBlock
                ? $"\"{name}\" opens a block: \"{{\" is missing"
                : $"\"{name}\" has no block: the syntax is: {directive.Syntax}");
            if (directive.IsBlock)
                return;
        }
        if (!directive.Repeats && !seen.TryAdd(directive, node))
        {
            findings.Error(node.Name, $"\"{name}\" is duplicate; the first is at {seen[directive].Position}");
            return;
        }
        if (node.Arguments.Count < directive.MinArguments || node.Arguments.Count > directive.MaxArguments)
        {
            findings.Error(node.Name, $"wrong number of arguments of \"{name}\"; the syntax is: {directive.Syntax}");
            if (!directive.IsBlock)
            {
                // It was there, if wrong: the checks that follow must not miss it.
                if (directive.IsTls)
                    Scope.Tls.Add(name, node);
                MarkPresent(node);
                return;
            }
        }
        if (directive.IsTls)
            Scope.Tls.Add(name, node);
        if (directive.ControlOnly)
            _server?.ControlOnly.Add(node);
        directive.Set?.Invoke(this, node);
    }

    private void MarkPresent(ConfigNode node)
    {
        if (_server is null)
        {
            if (_upstream is not null)
                _upstream.HasServerLine |= node.Name.Text == "server";
            return;
        }
        switch (node.Name.Text)
        {
            case "ftp_ctrl":
                _server.Control = node;
                break;
            case "ftp_data":
                _server.Data = node;
                break;
            case "listen":
                _server.HasListen = true;
                break;
            case "proxy_pass":
                _server.ProxyPass = node;
                break;
        }
    }

    private static string NotYet(string name, Directive directive) =>
        directive.Refusal ?? $"\"{name}\" is not supported yet{(directive.Reason is { } reason ? $": {reason}" : "")}";

    // The values of arguments: each reports what is wrong and gives false.

    private bool Time(ConfigNode node, ConfigToken word, bool zero, out TimeSpan time)
    {
        if (!ConfigValue.TryTime(word.Text, out time))
        {
            findings.Error(word, $"\"{node.Name.Text}\" needs a time such as 30s, 10m or 1h30m, not {ConfigFindings.Show(word.Text)}");
            return false;
        }
        if (time > TimeSpan.Zero || zero)
            return true;
        findings.Error(word, $"\"{node.Name.Text}\" needs a time longer than 0");
        return false;
    }

    private bool Integer(string what, ConfigToken word, int min, int max, out int value)
    {
        if (ConfigValue.TryInt(word.Text, min, max, out value))
            return true;
        findings.Error(word,
            $"\"{what}\" needs a number {(max == int.MaxValue ? $"of at least {min}" : $"from {min} to {max}")}, not {ConfigFindings.Show(word.Text)}");
        return false;
    }

    private bool OnOff(ConfigNode node, out bool value)
    {
        var word = node.Arguments[0];
        value = word.Text == "on";
        if (word.Text is "on" or "off")
            return true;
        findings.Error(word, $"\"{node.Name.Text}\" is \"on\" or \"off\", not {ConfigFindings.Show(word.Text)}");
        return false;
    }

    /// <summary>A file that Ferry writes, absolute.</summary>
    private bool FilePath(ConfigNode node, ConfigToken word, out string path)
    {
        path = "";
        if (word.Text.Length == 0 || word.Text.Contains('\0'))
            findings.Error(word, $"\"{node.Name.Text}\" needs the name of a file");
        else if (word.Text.Contains('$'))
            findings.Error(word, $"variables in the path of \"{node.Name.Text}\" are not supported yet");
        else if (word.Text.StartsWith("syslog:", StringComparison.Ordinal) || word.Text.StartsWith("memory:", StringComparison.Ordinal))
            findings.Error(word, $"{ConfigFindings.Show(word.Text[..7])} in \"{node.Name.Text}\" is not supported yet: write to a file");
        else
        {
            path = Path.GetFullPath(Path.Combine(prefix, word.Text));
            return true;
        }
        return false;
    }

    private static string Choice(IEnumerable<string> words, string word) =>
        $"{string.Join(", ", words)}{Spelling.DidYouMean(word, words)}";
}
