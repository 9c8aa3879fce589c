using System.IO;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.FunctionalTests.Transport.Tls;
using Ferry.Tests;
using Ferry.Transport.Tls;
using Ferry.Upstreams;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>One check of a scripted server.</summary>
internal sealed class ProbeRig : IAsyncDisposable
{
    private readonly TlsContexts _made = new();
    private readonly Func<ScriptedConnection, Task> _script;
    private ScriptedServer? _server;

    public ProbeRig(Func<ScriptedConnection, Task> script) => _script = script;

    public HealthCheckConfig Check { get; init; } = new();

    public UpstreamTls Tls { get; init; }

    /// <summary>On control and data connections.</summary>
    public ProxyProtocolVersion Header { get; init; }

    public string? Password { get; init; }

    public PassiveAddressConfig PassiveAddress { get; init; } = new(PassiveAddressPolicy.Control, []);

    /// <summary>What the check has said.</summary>
    public IReadOnlyList<string> Lines => _server!.Connections[0].Lines;

    /// <summary>Checks, on the system's clock or another one.</summary>
    public Task<HealthProbeResult> RunAsync(TimeProvider? time = null, CancellationToken stop = default)
    {
        _server = ScriptedServer.Start(_script);
        var found = new List<ConfigDiagnostic>();
        var context = Tls == UpstreamTls.Off ? null : _made.Client(c => c with { Mode = Tls });
        var plan = new HealthProbePlan
        {
            Check = Check with { Timeout = time is null ? Wait.Bound : Check.Timeout },
            Header = Header,
            DataHeader = Header,
            TlsMode = Tls,
            Match = Check.Match is { } match ? MatchExpectation.TryCreate(match) : null,
            Tls = context is null ? null : () => context,
            PeerName = TlsPeerName.Any,
            PassiveAddress = PassiveAddress,
            Password = Password is null ? HealthPassword.Anonymous : HealthPassword.TryRead(new PlacedText(_made.Folder.NewFile("password", Password)), found)!,
        };
        return Wait.For(HealthProbe.RunAsync(plan, _server.EndPoint, time ?? TimeProvider.System, stop), "the check to end", Wait.Bound * 2);
    }

    /// <summary>Checks on a clock that runs as fast as it can.</summary>
    public async Task<HealthProbeResult> RunOutAsync()
    {
        var clock = new ManualTimeProvider();
        var result = RunAsync(clock);
        await _server!.ConnectedAsync();
        await Wait.Until(
            () =>
            {
                if (!result.IsCompleted)
                    clock.Advance(TimeSpan.FromMilliseconds(20));
                return result.IsCompleted;
            },
            "the check's time to be over");
        return await result;
    }

    public Task ConnectedAsync() => _server!.ConnectedAsync();

    /// <summary>Fails where the script has failed.</summary>
    public Task DoneAsync() => _server!.DoneAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
            await _server.DisposeAsync();
        _made.Dispose();
    }

    /// <summary>Answers QUIT, or takes the end that a check makes without it where it has failed.</summary>
    public static async Task PartAsync(ScriptedConnection c)
    {
        try
        {
            if (await c.ReadLineAsync() == "QUIT")
                await c.SendAsync("221 Bye.");
        }
        catch (System.Net.Sockets.SocketException)
        {
        }
    }

    /// <summary>Sends without end, until the other end has had enough.</summary>
    public static async Task FloodAsync(Func<Task> send)
    {
        try
        {
            while (true)
                await send();
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException)
        {
        }
    }
}
