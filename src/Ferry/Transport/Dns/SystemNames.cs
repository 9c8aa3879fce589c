using System.Collections.Immutable;
using System.IO;
using System.Net;

namespace Ferry.Transport.Dns;

/// <summary>What the system knows of names: its hosts file, and whom else to ask (hosts(5), resolv.conf(5)). Read anew each time, as both change while Ferry runs.</summary>
internal sealed class SystemNames(string hostsFile = "/etc/hosts", string resolvFile = "/etc/resolv.conf")
{
    // Blocklists make long hosts files; what is beyond is not looked at.
    private const int MaxHostsBytes = 4 * 1024 * 1024;
    private const int MaxResolvBytes = 64 * 1024;

    // As glibc: MAXNS, and as many domains as it had for most of its life.
    private const int MaxServers = 3;
    private const int MaxDomains = 6;
    private const int MaxDots = 15;
    private const int DnsPort = 53;

    /// <summary>The addresses of a name in the hosts file; empty where it has none.</summary>
    public ImmutableArray<IPAddress> Lookup(string name)
    {
        var found = ImmutableArray.CreateBuilder<IPAddress>();
        name = name.TrimEnd('.');
        foreach (var words in Lines(hostsFile, MaxHostsBytes))
        {
            if (found.Count < DnsResolver.MaxAddresses && words.AsSpan(1).Contains(name, StringComparer.OrdinalIgnoreCase)
                && IPAddress.TryParse(words[0], out var address) && !found.Contains(address))
                found.Add(address);
        }
        return found.ToImmutable();
    }

    /// <summary>The name servers; without any, the one of this machine, as in glibc.</summary>
    public ImmutableArray<IPEndPoint> Servers()
    {
        var servers = ImmutableArray.CreateBuilder<IPEndPoint>();
        foreach (var words in Lines(resolvFile, MaxResolvBytes))
        {
            if (words is ["nameserver", var text, ..] && servers.Count < MaxServers && IPAddress.TryParse(text, out var address))
                servers.Add(new IPEndPoint(address, DnsPort));
        }
        return servers.Count > 0 ? servers.ToImmutable() : [new IPEndPoint(IPAddress.Loopback, DnsPort)];
    }

    /// <summary>The full names that a name may stand for, in the order in which they are asked for.</summary>
    public ImmutableArray<string> Candidates(string name)
    {
        if (name.EndsWith('.'))
            return [name];
        var (domains, dots) = (Array.Empty<string>(), 1);
        foreach (var words in Lines(resolvFile, MaxResolvBytes))
        {
            if (words is ["search", .. var listed] || words is ["domain", .. var single] && (listed = single[..Math.Min(1, single.Length)]) is not null)
                domains = [.. listed.AsSpan(0, Math.Min(listed.Length, MaxDomains))];
            else if (words is ["options", .. var options])
            {
                foreach (var option in options)
                {
                    if (option.StartsWith("ndots:", StringComparison.Ordinal) && int.TryParse(option.AsSpan(6), out var number))
                        dots = Math.Clamp(number, 0, MaxDots);
                }
            }
        }
        var candidates = ImmutableArray.CreateBuilder<string>(domains.Length + 1);
        var isFull = name.AsSpan().Count('.') >= dots;
        if (isFull)
            candidates.Add(name);
        foreach (var domain in domains)
            candidates.Add($"{name}.{domain.Trim('.')}");
        if (!isFull)
            candidates.Add(name);
        return candidates.ToImmutable();
    }

    /// <summary>The words of each line that has two or more, without remarks.</summary>
    private static IEnumerable<string[]> Lines(string file, int maxBytes)
    {
        foreach (var line in Read(file, maxBytes).Split('\n'))
        {
            var end = line.AsSpan().IndexOfAny('#', ';');
            var words = (end < 0 ? line : line[..end]).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1)
                yield return words;
        }
    }

    private static string Read(string file, int maxBytes)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var bytes = new byte[Math.Min(maxBytes, stream.Length)];
            return System.Text.Encoding.Latin1.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // as in glibc, a file that is not there says nothing
        }
    }
}
