using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Tests.Upstreams;

/// <summary>Makes groups from few words, on a manual clock, and remembers what they log.</summary>
internal sealed class GroupBuilder : ILogger
{
    public static readonly IPEndPoint Client = new(IPAddress.Parse("192.168.40.90"), 50_000);
    public static readonly IPEndPoint Listener = new(IPAddress.Parse("192.168.40.136"), 21);

    public ManualTimeProvider Time { get; } = new();

    public List<(int Id, LogLevel Level, string Text)> Said { get; } = [];

    public Dictionary<string, IPAddress[]> Names { get; } = [];

    /// <summary>A server on 10.0.0.<paramref name="number"/>:21.</summary>
    public static UpstreamServerConfig Server(int number, int weight = 1) => new($"10.0.0.{number}", 21) { Weight = weight };

    public static UpstreamConfig Block(params UpstreamServerConfig[] servers) => new() { Name = "files", Servers = [.. servers] };

    public static UpstreamConfig Hashed(BalanceMethod method, TextTemplate key, params UpstreamServerConfig[] servers) =>
        Block(servers) with { Balance = method, HashKey = key };

    public static UpstreamConfig Balanced(BalanceMethod method, params UpstreamServerConfig[] servers) => Block(servers) with { Balance = method };

    public static TextTemplate Variable(string name) => new($"${name}", [new TextPart(name, true)]);

    public async Task<UpstreamGroup> MakeAsync(UpstreamConfig config, UpstreamGroup? previous = null)
    {
        var result = await TryMakeAsync(config, previous);
        Assert.Empty(result.Errors);
        return result.Group!;
    }

    public Task<UpstreamGroup> MakeAsync(params UpstreamServerConfig[] servers) => MakeAsync(Block(servers));

    public Task<UpstreamGroupResult> TryMakeAsync(UpstreamConfig config, UpstreamGroup? previous = null) =>
        UpstreamGroup.CreateAsync(config, Resolve, Time, previous, this, CancellationToken.None);

    /// <summary>Begins a new session; the digit of the server it goes to (its place in the group), or '-' for none. The session is over at once.</summary>
    public static char Pick(UpstreamGroup group, IPEndPoint? client = null)
    {
        var server = group.Choose(new ChoiceFacts(client ?? Client, Listener)).TryNext();
        server?.Release();
        return server is null ? '-' : (char)('0' + server.Index);
    }

    public static string Picks(UpstreamGroup group, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => Pick(group)));

    /// <summary>Begins a session that goes on; the server it goes to.</summary>
    public static UpstreamServer Hold(UpstreamGroup group, IPEndPoint? client = null) => group.Choose(new ChoiceFacts(client ?? Client, Listener)).TryNext()!;

    /// <summary>Begins sessions that go on; the digits of their servers.</summary>
    public static string Holds(UpstreamGroup group, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => (char)('0' + Hold(group).Index)));

    /// <summary>One of many clients.</summary>
    public static IPEndPoint Other(int number) => new(new IPAddress([10, (byte)(1 + number / 62_500), (byte)(number / 250 % 250), (byte)(number % 250)]), 50_000);

    /// <summary>How many of so many clients, whose sessions are over at once, each server gets.</summary>
    public static int[] Spread(UpstreamGroup group, int clients)
    {
        var counts = new int[group.Servers.Length];
        for (var i = 0; i < clients; i++)
            counts[Pick(group, Other(i)) - '0']++;
        return counts;
    }

    /// <summary>All servers of one session's walk.</summary>
    public static string Walk(UpstreamGroup group, IPEndPoint? client = null)
    {
        var choice = group.Choose(new ChoiceFacts(client ?? Client, Listener));
        var walk = "";
        while (choice.TryNext() is { } server)
        {
            walk += (char)('0' + server.Index);
            server.Release();
        }
        return walk;
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Said.Add((eventId.Id, logLevel, formatter(state, exception)));

    private Task<IPAddress[]> Resolve(string name, CancellationToken ct) => Names.TryGetValue(name, out var addresses)
        ? Task.FromResult(addresses)
        : Task.FromException<IPAddress[]>(new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound));
}
