using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Ferry.Daemon.Demo;

/// <summary>Prints what the proxy does for the person who watches: who came, each transfer, how it ended, and all that went wrong.</summary>
internal sealed class DemoLog : ILoggerFactory, ILogger
{
    // Ids of events as the library gives them; a released id keeps its meaning.
    private const int Connected = 400;
    private const int Ended = 401;
    private const int ServerConnected = 410;
    private const int Command = 420;
    private const int PortGiven = 440;
    private const int PortGivenBack = 441;
    private const int TransferEnded = 450;
    private const int Matched = 451;
    private const int ClientSpeaksTls = 460;
    private const int DataSpeaksTls = 465;
    private const int Started = 510;

    private readonly TimeProvider _time;
    private readonly Lock _line = new();
    // An entry a session that runs: no more than the proxy takes.
    private readonly Dictionary<string, Visit> _visits = [];

    public DemoLog(TimeProvider time) => _time = time;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // Nobody but the screen listens.
    }

    /// <summary>Debug too: that is where the name of a file is told.</summary>
    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Debug and < LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        var values = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        lock (_line)
        {
            var text = logLevel <= LogLevel.Information && Value(values, "Session") is string session
                ? Tell(eventId.Id, session, values)
                : eventId.Id == Started ? null : "";
            if (text is null)
                return;
            if (text.Length == 0)
                text = formatter(state, exception);
            var word = logLevel switch
            {
                LogLevel.Information => "",
                LogLevel.Warning => "warning: ",
                _ => "error: ",
            };
            Print($"{word}{text}{(exception is null ? "" : $" ({exception.Message})")}");
        }
    }

    public void Dispose()
    {
        // The screen stays.
    }

    private void Print(string text) => Console.Out.WriteLine($"{_time.GetLocalNow():HH:mm:ss}  {text}");

    /// <summary>What is said of an event of a session; null: nothing, it is only remembered; empty: what the library says.</summary>
    private string? Tell(int id, string session, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        var visit = _visits.GetValueOrDefault(session);
        switch (id)
        {
            case Connected:
                _visits[session] = new Visit();
                return $"session {session}: client connected from {Value(values, "Client")}";
            case Command:
                visit?.Command = Value(values, "Command") as string;
                return null;
            case Matched:
                visit?.Port = Value(values, "Port") as int?;
                return null;
            case ClientSpeaksTls:
                return $"session {session}: client speaks {Value(values, "Protocol")}, {Value(values, "Cipher")}{(Value(values, "Resumed") is true ? ", and resumes an earlier session" : "")}";
            case DataSpeaksTls:
                return $"session {session}: its data connection in TLS {(Value(values, "Resumed") is true ? "resumes an earlier session" : "begins a new session")}";
            case ServerConnected or PortGiven or PortGivenBack:
                return null;
            case TransferEnded:
                var told = $"session {session}: {Transfer(visit, values)}";
                visit?.Port = null;
                return told;
            case Ended:
                _visits.Remove(session);
                return string.Create(CultureInfo.InvariantCulture,
                    $"session {session}: ended ({Value(values, "Reason")}) after {Value(values, "Seconds"):F2} s, {Count(values, "Commands", "command")}, {Count(values, "Transfers", "transfer")}");
            default:
                return "";
        }
    }

    private static string Transfer(Visit? visit, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        var verb = Value(values, "Verb") as string ?? "";
        // The command that was said last is the transfer's, unless the client did not wait for its end.
        var command = visit?.Command is { } last && last.StartsWith(verb, StringComparison.OrdinalIgnoreCase) ? last : verb;
        long toClient = Value(values, "ToClient") as long? ?? 0, toServer = Value(values, "ToServer") as long? ?? 0;
        var upload = toServer > 0 || verb is "STOR" or "APPE" or "STOU";
        var outcome = Value(values, "Outcome") is "complete" ? "" : $"{Value(values, "Outcome")}, ";
        var port = visit?.Port is { } number ? $" through port {number}" : "";
        return string.Create(CultureInfo.InvariantCulture,
            $"{command}: {outcome}{(upload ? toServer : toClient):N0} bytes to the {(upload ? "server" : "client")}{port} in {Value(values, "Seconds"):F2} s");
    }

    private static string Count(IReadOnlyList<KeyValuePair<string, object?>> values, string name, string noun) =>
        Value(values, name) is 1L ? $"1 {noun}" : $"{Value(values, name)} {noun}s";

    private static object? Value(IReadOnlyList<KeyValuePair<string, object?>> values, string name)
    {
        for (var i = 0; i < values.Count; i++)
        {
            if (values[i].Key == name)
                return values[i].Value;
        }
        return null;
    }

    /// <summary>What is remembered of a session while it runs.</summary>
    private sealed class Visit
    {
        public string? Command { get; set; }

        public int? Port { get; set; }
    }
}
