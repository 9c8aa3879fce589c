using System.Collections.Immutable;
using System.Linq;

namespace Ferry.Config;

/// <summary><c>proxy_pass</c> with variables, and what else concerns the choice of a server by user.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>A line that clients show on a terminal.</summary>
    private const int LongestGreeting = 400;

    private readonly Dictionary<string, UpstreamConfig> _upstreams = new(StringComparer.Ordinal);

    public void SetGreeting(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (word.Text == "off")
            Scope.Greeting = new Setting<string?>(null);
        else if (word.Text.Length is 0 or > LongestGreeting || word.Text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            findings.Error(word, $"\"{node.Name.Text}\" needs a line of at most {LongestGreeting} ASCII characters, or \"off\"");
        else if (word.Text.Contains('$'))
            findings.Error(word, $"\"{node.Name.Text}\" is plain text: it has no variables");
        else
            Scope.Greeting = word.Text;
    }

    public void SetUser(ConfigNode node)
    {
        if (_server is not null)
            _server.UserName = ConfigVariables.ParseRoute(node.Arguments[0].Text, node.Arguments[0], OwnNames, [], findings);
    }

    /// <summary>Finds all places that a <c>proxy_pass</c> may lead to; null where that is wrong, which is reported.</summary>
    private RouteConfig? RouteOf(ConfigToken word)
    {
        if (ConfigVariables.ParseRoute(word.Text, word, OwnNames, [], findings) is not { } target)
            return null;
        var (literals, isOpen) = ValuesOf(target, word);
        var upstreams = ImmutableArray.CreateBuilder<UpstreamConfig>();
        HashSet<string> seen = new(StringComparer.Ordinal);
        var isGood = true;
        foreach (var literal in literals)
        {
            if (literal.Text.Length == 0 || !seen.Add(literal.Text))
                continue;
            if (Place(literal) is { } place)
                upstreams.Add(place);
            else
                isGood = false;
        }
        // What is put together at run time can only name what is there by a name of its own.
        foreach (var upstream in isOpen ? Main.Upstreams.OrderBy(u => u.Name, StringComparer.Ordinal) : Enumerable.Empty<UpstreamDraft>())
        {
            if (HasServers(upstream) && seen.Add(upstream.Name))
                upstreams.Add(Named(upstream));
        }
        if (!isGood)
            return null;
        if (upstreams.Count > 0)
            return new RouteConfig(target, upstreams.ToImmutable()) { AtUser = NeedsUser(target) };
        findings.Error(word, $"{ConfigFindings.Show(word.Text)} leads nowhere: none of its values names an upstream or an address");
        return null;
    }

    /// <summary>The values that a text can have as they are written, and whether there are others.</summary>
    private (List<ConfigToken> Literals, bool IsOpen) ValuesOf(TextTemplate target, ConfigToken word)
    {
        List<ConfigToken> literals = [];
        HashSet<string> seen = new(StringComparer.Ordinal);
        var isOpen = false;
        Stack<VariableValue> rest = new([new VariableValue(word, target, [])]);
        while (rest.TryPop(out var value))
        {
            if (value.Text.Parts.All(p => !p.IsVariable))
                literals.Add(value.Word with { Text = string.Concat(value.Text.Parts.Select(p => p.Text)) });
            else if (value.Text.Parts is [{ IsVariable: true, Text: var name }] && !value.Captures.Contains(name) && Main.Variables.TryGetValue(name, out var draft))
                (seen.Add(name) ? Enumerable.Reverse(draft.Values) : []).ToList().ForEach(rest.Push);
            else
                isOpen = true;
        }
        return (literals, isOpen);
    }

    /// <summary>An upstream, or an address; null where it is neither, which is reported.</summary>
    private UpstreamConfig? Place(ConfigToken word)
    {
        if (Main.UpstreamsByName.TryGetValue(word.Text, out var upstream))
            return HasServers(upstream) ? Named(upstream) : null;
        ConfigValue.SplitHostPort(word.Text, out var host, out var portText);
        // A name alone would be a misspelt upstream more often than a host.
        if (!ConfigValue.TryAddress(host, out _) && !host.Contains('.') && !word.Text.Contains(':'))
        {
            findings.Error(word, $"no upstream is named {ConfigFindings.Show(word.Text)}{Spelling.DidYouMean(word.Text, Main.UpstreamsByName.Keys)}");
            return null;
        }
        if (portText is not null && Main.UpstreamsByName.ContainsKey(host))
        {
            findings.Error(word, $"upstream {ConfigFindings.Show(host)} may not have a port here: its servers have their own");
            return null;
        }
        return ServerAddress("proxy_pass", word, out host, out var port)
            ? new UpstreamConfig
            {
                Name = word.Text,
                Servers = [new UpstreamServerConfig(host, port) { Text = word.Text, Position = word.Position, SourceLine = word.Source.LineAt(word.Start) }],
                Position = word.Position,
            }
            : null;
    }

    /// <summary>The record of an <c>upstream</c> block: one for all that name it, so that they share its servers' state.</summary>
    private UpstreamConfig Named(UpstreamDraft draft)
    {
        if (!_upstreams.TryGetValue(draft.Name, out var config))
            _upstreams.Add(draft.Name, config = ToConfig(draft));
        return config;
    }

    /// <summary>Whether a text depends on what the client says with USER or HOST.</summary>
    private bool NeedsUser(TextTemplate text)
    {
        HashSet<string> seen = new(StringComparer.Ordinal);
        Stack<string> rest = new(text.Parts.Where(p => p.IsVariable).Select(p => p.Text));
        while (rest.TryPop(out var name))
        {
            if (ConfigVariables.OfUser.Contains(name))
                return true;
            if (seen.Add(name) && Main.Variables.TryGetValue(name, out var draft))
                draft.References.ToList().ForEach(rest.Push);
        }
        return false;
    }

    private bool IsChosenByUser(UpstreamConfig upstream) =>
        (upstream.HashKey is { } hash && NeedsUser(hash)) || (upstream.Sticky is { } sticky && NeedsUser(sticky.Key));

    /// <summary>Gives a control server its places.</summary>
    private void Route(ServerDraft server)
    {
        var pass = server.ProxyPass;
        if (pass?.Arguments is [var word] && word.Text.Contains('$'))
            server.Route = RouteOf(word);
        else if (pass is not null && Target(pass) is { } only)
            server.Route = new RouteConfig(new TextTemplate(only.Name, [new TextPart(only.Name, IsVariable: false)]), [only]);
        if (server.LookupWithin(Main.Stream) is { } lookup)
            AddLookup(server, lookup);
        server.Upstream = server.Route?.Upstreams[0];
        // A server that is chosen by what the user is called, and one that is told another name, cannot be had before.
        if (server.Route is { } route)
            server.Route = route with
            {
                User = server.UserName,
                AtUser = route.AtUser || route.Lookup is not null || server.UserName is not null || BindsByUser(server) || route.Upstreams.Any(IsChosenByUser),
            };
    }
}
