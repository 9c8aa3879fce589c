using System.Collections.Immutable;
using System.Net;

namespace Ferry.Config;

/// <summary>Names that are resolved while Ferry runs.</summary>
internal sealed partial class ConfigBinder
{
    private const int DnsPort = 53;

    /// <summary>Each costs a question's time when it does not answer.</summary>
    private const int MostNameServers = 16;

    private static readonly TimeSpan DefaultResolverTimeout = new ResolverConfig().Timeout;
    private static readonly string[] ResolverParameters = ["valid", "ipv4", "ipv6", "status_zone"];

    public void SetResolver(ConfigNode node)
    {
        var servers = ImmutableArray.CreateBuilder<IPEndPoint>();
        var resolver = new ResolverConfig();
        foreach (var argument in node.Arguments)
        {
            var (key, value) = Cut(argument.Text);
            if (value is not null)
                resolver = ResolverParameter(resolver, argument, key, value);
            else if (NameServer(argument) is { } server)
                servers.Add(server);
        }
        if (servers.Count > MostNameServers)
            findings.Error(node.Name, $"\"resolver\" has more than {MostNameServers} name servers");
        else if (servers.Count == 0 && !node.Arguments.Exists(a => !a.Text.Contains('=')))
            findings.Error(node.Name, "\"resolver\" needs the address of a name server");
        if (!resolver.IPv4 && !resolver.IPv6)
            findings.Error(node.Name, "with \"ipv4=off\" and \"ipv6=off\" no name has an address");
        if (_server is not null)
        {
            // As in nginx, where it then serves names that come from variables.
            findings.Note(node.Name, "resolver of a server", "\"resolver\" has no effect in a server block: names with \"resolve\" are in upstreams");
            return;
        }
        resolver = resolver with { Servers = servers.ToImmutable() };
        if (_upstream is not null)
            _upstream.Resolver = resolver;
        else
            Scope.Resolver = resolver;
    }

    public void SetResolverTimeout(ConfigNode node)
    {
        if (!Time(node, node.Arguments[0], zero: false, out var time))
            return;
        if (_upstream is not null)
            _upstream.ResolverTimeout = time;
        else
            Scope.ResolverTimeout = time;
    }

    private ResolverConfig ResolverParameter(ResolverConfig resolver, ConfigToken argument, string key, string value)
    {
        var word = argument.Part(key.Length + 1);
        switch (key)
        {
            case "valid" when ConfigValue.TryTime(value, out var time) && time > TimeSpan.Zero:
                return resolver with { Valid = time };
            case "valid":
                findings.Error(word, $"\"valid=\" needs a time longer than 0 such as 30s, not {ConfigFindings.Show(value)}");
                return resolver;
            case "ipv4" when value is "on" or "off":
                return resolver with { IPv4 = value == "on" };
            case "ipv6" when value is "on" or "off":
                return resolver with { IPv6 = value == "on" };
            case "ipv4" or "ipv6":
                findings.Error(word, $"\"{key}=\" is \"on\" or \"off\", not {ConfigFindings.Show(value)}");
                return resolver;
            case "status_zone":
                return resolver;
            default:
                findings.Error(argument, $"unknown parameter {ConfigFindings.Show(argument.Text)} of \"resolver\"{Spelling.DidYouMean(key, ResolverParameters)}");
                return resolver;
        }
    }

    private IPEndPoint? NameServer(ConfigToken word)
    {
        ConfigValue.SplitHostPort(word.Text, out var host, out var portText);
        var port = DnsPort;
        if (!ConfigValue.TryAddress(host, out var address) || (portText is not null && !ConfigValue.TryPort(portText, out port)))
        {
            findings.Error(word, $"\"resolver\" needs the address of a name server, with a port or without, as in 192.0.2.53 or [2001:db8::53]:5353, not {ConfigFindings.Show(word.Text)}");
            return null;
        }
        return new IPEndPoint(address, port);
    }

    private UpstreamServerConfig Service(UpstreamServerConfig server, ConfigToken word)
    {
        if (ConfigValue.IsHostName(word.Text))
            return server with { Service = word.Text };
        findings.Error(word, $"\"service=\" needs the name of a service, as in service=ftp for _ftp._tcp, not {ConfigFindings.Show(word.Text)}");
        return server;
    }

    /// <summary>As nginx: SRV records stand behind a name, tell the port, and change.</summary>
    private bool HasWholeService(UpstreamServerConfig server, ConfigToken word)
    {
        if (server.Service is null)
            return true;
        ConfigValue.SplitHostPort(word.Text, out _, out var port);
        var fault = ConfigValue.TryAddress(server.Host, out _) ? "needs a name, not an address"
            : port is not null ? "needs a name without a port: the service tells it"
            : !server.Resolve ? "needs \"resolve\" beside it"
            : null;
        if (fault is not null)
            findings.Error(word, $"a server with \"service=\" {fault}");
        return fault is null;
    }
}
