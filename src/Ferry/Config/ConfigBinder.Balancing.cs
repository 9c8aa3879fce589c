using System.Linq;
using System.Net.Sockets;
using System.Numerics;

namespace Ferry.Config;

/// <summary>How a server is chosen: the methods, and <c>sticky</c>.</summary>
internal sealed partial class ConfigBinder
{
    private const int MostStickyEntries = 16_777_216;

    /// <summary>LVS's names, which <c>ipvsadm -s</c> and keepalived's <c>lb_algo</c> take.</summary>
    private static readonly (string Name, BalanceMethod Method)[] Schedulers =
    [
        ("rr", BalanceMethod.Rr), ("wrr", BalanceMethod.Wrr), ("lc", BalanceMethod.Lc), ("wlc", BalanceMethod.Wlc), ("sed", BalanceMethod.Sed),
        ("nq", BalanceMethod.Nq), ("sh", BalanceMethod.Sh), ("dh", BalanceMethod.Dh), ("lblc", BalanceMethod.Lblc), ("lblcr", BalanceMethod.Lblcr),
        ("mh", BalanceMethod.Mh), ("ovf", BalanceMethod.Ovf), ("fo", BalanceMethod.Fo),
    ];

    private static readonly string[] StickyParameters = ["timeout", "netmask", "prefix6", "entries"];

    public static string NameOf(BalanceMethod method) => Array.Find(Schedulers, s => s.Method == method).Name;

    public void SetHash(ConfigNode node)
    {
        var isConsistent = node.Arguments is [_, { Text: "consistent" }];
        SetMethod(node, isConsistent ? BalanceMethod.ConsistentHash : BalanceMethod.Hash);
        if (node.Arguments is [_, var word] && !isConsistent)
        {
            findings.Error(word,
                $"unknown parameter {ConfigFindings.Show(word.Text)} of \"hash\"{Spelling.DidYouMean(word.Text, ["consistent"])}");
        }
        var key = ReadKey(node);
        _upstream?.HashKey = key;
        if (key is not null && key.Parts.All(p => !p.IsVariable))
            findings.Warning(node.Arguments[0], "this key has no variable in it: every client gets the same server");
    }

    public void SetLeastConn(ConfigNode node) => SetMethod(node, BalanceMethod.LeastConnections);

    public void SetRandom(ConfigNode node)
    {
        SetMethod(node, node.Arguments.Count == 0 ? BalanceMethod.Random : BalanceMethod.RandomTwo);
        if (node.Arguments is [var two, ..] && two.Text != "two")
            findings.Error(two, $"unknown parameter {ConfigFindings.Show(two.Text)} of \"random\"{Spelling.DidYouMean(two.Text, ["two"])}");
        if (node.Arguments is [_, var method] && method.Text != "least_conn")
        {
            findings.Error(method, method.Text.StartsWith("least_time", StringComparison.Ordinal)
                ? "\"least_time\" is not supported yet: use least_conn"
                : $"unknown method {ConfigFindings.Show(method.Text)} of \"random two\"; there is least_conn");
        }
    }

    public void SetBalance(ConfigNode node)
    {
        var word = node.Arguments[0];
        var found = Array.FindIndex(Schedulers, s => s.Name == word.Text);
        if (found < 0)
            findings.Error(word, $"there is no scheduler {ConfigFindings.Show(word.Text)}; \"balance\" is one of {Choice(Schedulers.Select(s => s.Name), word.Text)}");
        SetMethod(node, found < 0 ? BalanceMethod.RoundRobin : Schedulers[found].Method);
    }

    public void SetSticky(ConfigNode node)
    {
        var key = ReadKey(node);
        if (key is not null && key.Parts.All(p => !p.IsVariable))
            findings.Warning(node.Arguments[0], "this key has no variable in it: every client gets the same server");
        var sticky = new StickyConfig(key ?? new TextTemplate("", []));
        var isGood = key is not null;
        HashSet<string> seen = new(StringComparer.Ordinal);
        foreach (var argument in node.Arguments.Skip(1))
        {
            var (name, value) = Cut(argument.Text);
            if (!seen.Add(name))
                findings.Warning(argument, $"\"{name}\" of \"sticky\" is given twice; the last counts");
            isGood &= StickyParameter(node, argument, name, value, ref sticky);
            if (key is not null && name is "netmask" or "prefix6" && !key.Parts.Any(p => p is { IsVariable: true, Text: "remote_addr" or "binary_remote_addr" }))
                findings.Warning(argument, $"\"{name}\" does nothing here: the key has neither $remote_addr nor $binary_remote_addr");
        }
        if (isGood)
            _upstream?.Sticky = sticky;
    }

    private bool StickyParameter(ConfigNode node, ConfigToken argument, string name, string? value, ref StickyConfig sticky)
    {
        var number = 0;
        var word = value is null ? argument : argument.Part(name.Length + 1);
        switch (name)
        {
            case "timeout" when value is not null:
                if (ConfigValue.TryTime(value, out var time) && time > TimeSpan.Zero)
                {
                    sticky = sticky with { Timeout = time };
                    return true;
                }
                findings.Error(word, $"\"timeout=\" needs a time longer than 0, such as 300s, not {ConfigFindings.Show(value)}");
                return false;
            case "netmask" when value is not null:
                if (ConfigValue.TryInt(value, 0, 32, out number) || TryMask(value, out number))
                {
                    sticky = sticky with { Prefix4 = number };
                    return true;
                }
                findings.Error(word, $"\"netmask=\" needs a number of bits from 0 to 32, or a mask such as 255.255.255.0, not {ConfigFindings.Show(value)}");
                return false;
            case "prefix6" when value is not null && Integer("prefix6=", word, 0, 128, out number):
                sticky = sticky with { Prefix6 = number };
                return true;
            case "entries" when value is not null && Integer("entries=", word, 1, MostStickyEntries, out number):
                sticky = sticky with { MaxEntries = number };
                return true;
            case "prefix6" or "entries" when value is not null:
                return false;
            case "timeout" or "netmask" or "prefix6" or "entries":
                findings.Error(argument, $"\"{name}\" of \"{node.Name.Text}\" needs a value: {name}={StickyExample(name)}");
                return false;
            default:
                findings.Error(argument, $"unknown parameter {ConfigFindings.Show(argument.Text)} of \"{node.Name.Text}\"{Spelling.DidYouMean(name, StickyParameters)}");
                return false;
        }
    }

    private static string StickyExample(string name) => name switch
    {
        "timeout" => "300s",
        "netmask" => "24",
        "prefix6" => "64",
        _ => "65536",
    };

    /// <summary>As in nginx, where the last of several methods counts, and a warning says so.</summary>
    private void SetMethod(ConfigNode node, BalanceMethod method)
    {
        if (_upstream is null)
            return;
        if (_upstream.Method is { } first)
            findings.Warning(node.Name, $"upstream {ConfigFindings.Show(_upstream.Name)} has a method already, \"{first.Name.Text}\" at {first.Position}; the last counts, as in nginx");
        _upstream.Method = node;
        _upstream.Balance = method;
        _upstream.HashKey = null;
    }

    private TextTemplate? ReadKey(ConfigNode node)
    {
        var word = node.Arguments[0];
        if (word.Text.Length > 0)
            return ConfigVariables.Parse(word.Text, [word], inHash: true, findings, OwnNames);
        findings.Error(word, $"\"{node.Name.Text}\" needs a key, such as $remote_addr");
        return null;
    }

    /// <summary>Reads a mask of IPv4: ones, and then zeros.</summary>
    private static bool TryMask(string text, out int bits)
    {
        bits = 0;
        if (!ConfigValue.TryAddress(text, out var address) || address.AddressFamily != AddressFamily.InterNetwork)
            return false;
        var mask = address.GetAddressBytes().Aggregate(0u, (sum, b) => sum << 8 | b);
        bits = BitOperations.LeadingZeroCount(~mask);
        return BitOperations.PopCount(mask) == bits;
    }
}
