using System.Collections.Immutable;
using System.Globalization;
using System.Net;

namespace Ferry.Config;

/// <summary><c>split_clients</c> and <c>geo</c>.</summary>
internal sealed partial class ConfigBinder
{
    public void SetSplitClients(ConfigNode node)
    {
        if (DraftOf(node) is not { } draft)
            return;
        draft.Source = Source(node);
        var shares = ImmutableArray.CreateBuilder<ShareConfig>();
        var isGood = draft.Source is not null;
        var sum = 0m;
        foreach (var (word, value) in Lines(node))
        {
            decimal? percent = null;
            if (word.Text != "*" && !TryPercent(word.Text, out percent))
            {
                findings.Error(word, $"a share is a percentage above 0 with at most two places, such as 0.5%, or \"*\" for the rest, not {ConfigFindings.Show(word.Text)}");
                isGood = false;
                continue;
            }
            if (sum >= 100)
                findings.Error(word, "the shares before this one are 100% already");
            else if (sum + percent > 100)
                findings.Error(word, $"with this share they are {(sum + (percent ?? 0)).ToString(CultureInfo.InvariantCulture)}%, more than 100%");
            sum += percent ?? 100;
            if (Literal(node, value))
                shares.Add(new ShareConfig(percent, value.Text));
            AddValue(draft, value);
        }
        if (shares.Count == 0 || shares[^1].Percent is not null)
            draft.Values.Add(new VariableValue(draft.Word, new TextTemplate("", []), []));
        if (isGood)
            draft.Config = new SplitClientsConfig(draft.Name, draft.Source!, shares.ToImmutable()) { Position = node.Position };
    }

    private static bool TryPercent(string text, out decimal? percent)
    {
        percent = null;
        if (!text.EndsWith('%') || text.IndexOf('.') is >= 0 and var point && text.Length - point is < 2 or > 4
            || !decimal.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value) || value is <= 0 or > 100)
            return false;
        percent = value;
        return true;
    }

    // As in nginx, these two hold plain values.
    private bool Literal(ConfigNode node, ConfigToken value)
    {
        if (!value.Text.Contains('$'))
            return true;
        findings.Error(value, $"the values of \"{node.Name.Text}\" are plain text: lead from them to others with a \"map\"");
        return false;
    }

    private static void AddValue(VariableDraft draft, ConfigToken value) =>
        draft.Values.Add(new VariableValue(value, new TextTemplate(value.Text, value.Text.Length == 0 ? [] : [new TextPart(value.Text, IsVariable: false)]), []));

    public void SetGeo(ConfigNode node)
    {
        if (DraftOf(node) is not { } draft)
            return;
        var address = node.Arguments.Count > 1 ? node.Arguments[0] : default;
        var name = address.Text is ['$', _, ..] ? address.Text[1..] : "remote_addr";
        draft.Source = address.Text is null ? new TextTemplate("$remote_addr", [new TextPart(name, IsVariable: true)])
            : ConfigVariables.ParseRoute(address.Text, address, OwnNames, [], findings);
        var isGood = draft.Source is not null;
        if (draft.Source is not null and not { Parts: [{ IsVariable: true }] })
        {
            findings.Error(address, $"\"geo\" needs a variable that holds an address, such as $remote_addr, not {ConfigFindings.Show(address.Text!)}");
            isGood = false;
        }
        Dictionary<IPNetwork, GeoNetworkConfig> networks = [];
        Dictionary<IPNetwork, ConfigToken> seen = [];
        ConfigToken? otherwise = null;
        foreach (var (word, value) in Lines(node))
        {
            if (!Literal(node, value))
                continue;
            AddValue(draft, value);
            if (word.Text == "default" && otherwise is { } first)
                findings.Error(word, $"\"default\" is there twice; the first value is at {first.Position}");
            else if (word.Text == "default")
                otherwise = value;
            else if (Network(node, word, out var network))
            {
                if (!seen.TryAdd(network, word))
                    findings.Warning(word, $"{network} is there twice, first at {seen[network].Position}; the last counts, as in nginx");
                networks[network] = new GeoNetworkConfig(network, value.Text);
            }
            else
                isGood = false;
        }
        if (otherwise is null)
            draft.Values.Add(new VariableValue(draft.Word, new TextTemplate("", []), []));
        if (isGood)
            draft.Config = new GeoConfig(draft.Name, draft.Source!.Parts[0].Text, [.. networks.Values]) { Default = otherwise?.Text ?? "", Position = node.Position };
    }
}
