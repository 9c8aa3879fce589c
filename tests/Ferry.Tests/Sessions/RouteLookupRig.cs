using System.Net;
using System.Text;
using System.Text.Json;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ferry.Tests.Sessions;

/// <summary>A service that answers when and as the test says.</summary>
public abstract class RouteLookupRig : IDisposable
{
    private protected static readonly RouteLookupConfig Config = new(new Uri("https://routes.example/ftp?key=hidden"));

    private protected readonly ManualTimeProvider _time = new();
    private protected readonly FerryMetrics _metrics = new();
    private protected readonly SaidLines _said = new();
    private protected readonly List<(string Question, TaskCompletionSource<RouteReply> Reply, CancellationToken Stop)> _asked = [];
    private readonly SemaphoreSlim _arrived = new(0);

    public void Dispose()
    {
        _metrics.Dispose();
        _arrived.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected RouteLookup Make(RouteLookupConfig config, RouteLookup? previous = null) => new(config, AnswerAsync, previous, _metrics, _time, _said);

    private Task<RouteReply> AnswerAsync(byte[] question, CancellationToken stop)
    {
        var reply = new TaskCompletionSource<RouteReply>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_asked)
            _asked.Add((Encoding.UTF8.GetString(question), reply, stop));
        _arrived.Release();
        return reply.Task;
    }

    private protected async Task ArrivedAsync(int count = 1)
    {
        for (var i = 0; i < count; i++)
            Assert.True(await _arrived.WaitAsync(TimeSpan.FromSeconds(30)), "Waited in vain for a question.");
    }

    private protected void Answer(int index, string upstream)
    {
        Assert.True(RouteAnswer.TryRead(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["upstream"] = upstream }), false, out var answer, out _));
        _asked[index].Reply.SetResult(new RouteReply(answer, null));
    }

    private protected void Fail(int index, string failure) => _asked[index].Reply.SetResult(new RouteReply(null, failure));

    private protected static Task<RouteReply> Ask(RouteLookup lookup, string user, string client = "192.0.2.7", CancellationToken ct = default) =>
        lookup.AskAsync(new RouteQuestion { User = user, Client = IPAddress.Parse(client), Listener = new IPEndPoint(IPAddress.Loopback, 21) }, ct);

    private protected static Task<RouteReply> Ask(RouteLookup lookup, RouteQuestion question) => lookup.AskAsync(question, CancellationToken.None);

    private protected sealed class SaidLines : ILogger
    {
        private readonly List<string> _lines = [];

        public IReadOnlyList<string> Lines
        {
            get
            {
                lock (_lines)
                    return [.. _lines];
            }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (_lines)
                _lines.Add($"{logLevel} {formatter(state, exception)}");
        }
    }
}
