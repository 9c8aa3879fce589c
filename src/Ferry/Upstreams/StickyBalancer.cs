using System.Collections.Immutable;
using System.Text;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>
/// <c>sticky KEY</c>, LVS's persistence: a key leads to the server that it had last, for as long as it comes again in time. Where that server
/// cannot be had, another method chooses, and the key stays with the new one.
/// </summary>
internal sealed class StickyBalancer : IBalancer
{
    /// <summary>Of a longer key the checksum stands for what is beyond.</summary>
    private const int MostOfKey = 256;

    private readonly IBalancer _method;
    private readonly HashKey _key;
    private readonly StickyConfig _config;
    private readonly RecentTable<ServerName> _table;
    private readonly long _lifetime;
    private readonly Dictionary<ServerName, UpstreamServer> _servers = [];

    /// <param name="servers">The servers.</param>
    /// <param name="method">Chooses for a key that is new or has to move.</param>
    /// <param name="key">The key, made with the networks of <paramref name="config"/>.</param>
    /// <param name="config">What the directive says.</param>
    /// <param name="table">Shared by all generations.</param>
    /// <param name="time">The clock that the choices are stamped by.</param>
    public StickyBalancer(ImmutableArray<UpstreamServer> servers, IBalancer method, HashKey key, StickyConfig config, RecentTable<ServerName> table, TimeProvider time)
    {
        _method = method;
        _key = key;
        _config = config;
        _table = table;
        _lifetime = (long)Math.Min(config.Timeout.TotalSeconds * time.TimestampFrequency, long.MaxValue / 4);
        foreach (var server in servers)
            _servers.TryAdd(server.Id, server);
    }

    public UpstreamServer? Pick(UpstreamChoice choice)
    {
        Span<char> text = stackalloc char[MostOfKey + sizeof(uint)];
        var key = text[..Write(choice.Facts, text)];
        if (key.Length == 0)
            return _method.Pick(choice);
        var server = _table.TryGet(key, choice.Now, _lifetime, out var name) && _servers.TryGetValue(name, out var last) && choice.MayTry(last) ? last : null;
        // A client leaves a backup as soon as another can be had, but not for another backup.
        if (server is null or { Config.Backup: true } && _method.Pick(choice) is { } other && (server is null || !other.Config.Backup))
            server = other;
        if (server is not null)
            _table.Set(key, server.Id, choice.Now, _config.MaxEntries);
        return server;
    }

    /// <summary>Writes the key of a session, a character for each byte.</summary>
    private int Write(ChoiceFacts facts, Span<char> to)
    {
        Span<byte> kept = stackalloc byte[MostOfKey + sizeof(uint)];
        var sink = new KeySink(kept[..MostOfKey]);
        _key.WriteTo(ref sink, facts);
        var length = sink.Kept.Length;
        if (sink.Length > MostOfKey)
        {
            BitConverter.TryWriteBytes(kept[MostOfKey..], sink.Checksum);
            length = kept.Length;
        }
        return Encoding.Latin1.GetChars(kept[..length], to);
    }
}
