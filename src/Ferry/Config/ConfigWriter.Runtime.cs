using System.Linq;

namespace Ferry.Config;

/// <summary>What becomes of sessions while servers are full, gone, or on their way back; and the line of a server.</summary>
internal sealed partial class ConfigWriter
{
    private void WriteRuntime(UpstreamConfig upstream)
    {
        if (upstream.StateFile is { } state)
            Line("state", Quote(state));
        if (upstream.QueueLength > 0)
            Line("queue", Number(upstream.QueueLength), $"timeout={Time(upstream.QueueTimeout)}");
        if (upstream.Sorry is { } sorry)
            Line("ftp_sorry", Quote(sorry));
        if (!upstream.Servers.Any(s => s.Resolve))
            return;
        var resolver = upstream.Resolver;
        if (!resolver.Servers.IsDefaultOrEmpty)
            Line(["resolver", .. resolver.Servers.Select(s => s.ToString()), .. Valid(resolver), $"ipv4={OnOff(resolver.IPv4)}", $"ipv6={OnOff(resolver.IPv6)}"]);
        Line("resolver_timeout", Time(resolver.Timeout));
    }

    /// <summary>A server as a line of a file of its own.</summary>
    public static string LineOf(UpstreamServerConfig server) => string.Join(' ', WordsOf(server)) + ";";

    /// <summary>The words of a <c>server</c> line, its name first.</summary>
    private static IEnumerable<string> WordsOf(UpstreamServerConfig server)
    {
        yield return "server";
        yield return Quote(server.Text ?? $"{ShowHost(server.Host)}:{server.Port}");
        yield return $"weight={server.Weight}";
        yield return $"max_conns={server.MaxConnections}";
        yield return $"max_fails={server.MaxFails}";
        yield return $"fail_timeout={Time(server.FailTimeout)}";
        if (server.SlowStart > TimeSpan.Zero)
            yield return $"slow_start={Time(server.SlowStart)}";
        if (server.Backup)
            yield return "backup";
        if (server.Down)
            yield return "down";
        if (server.Drain)
            yield return "drain";
        if (server.Resolve)
            yield return "resolve";
        if (server.Service is { } service)
            yield return $"service={service}";
    }

    private static IEnumerable<string> Valid(ResolverConfig resolver) => resolver.Valid is { } time ? [$"valid={Time(time)}"] : [];

    private static string ShowHost(string host) => host.Contains(':') ? $"[{host}]" : host;
}
