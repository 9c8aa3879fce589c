using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Ferry.Telemetry;

/// <summary>One <c>error_log</c> line: a file and the least severe level that goes there.</summary>
internal readonly record struct ErrorLogTarget(LogFile File, LogLevel Level);

/// <summary>
/// Writes log messages into the <c>error_log</c> files, one line each, in the form that readers of nginx's files know:
/// <code>
/// 2026/11/22 01:28:34 [info] 4711#0: *6c7b-1 Session: client 192.0.2.7:50021 connected to 198.51.100.7:21
///                      level pid       session category message        values that the message does not name
/// </code>
/// The session comes from a value or a scope's value named <c>Session</c> or <c>SessionId</c>. Nothing is escaped by those who log: every character that could end a line is written as <c>\xXX</c> here. The files belong to the caller.
/// </summary>
internal sealed class ErrorLog : ILoggerFactory, ILoggerProvider
{
    private const int MostException = 1024;
    private const int MostStack = 8192;
    private const int MostInner = 4;

    private readonly TimeProvider _time;
    private readonly int _processId;
    private readonly LoggerExternalScopeProvider _scopes = new();
    private ErrorLogTarget[] _targets = [];
    private volatile LogLevel _lowest = LogLevel.None;

    public ErrorLog(IEnumerable<ErrorLogTarget> targets, TimeProvider time, int? processId = null)
    {
        _time = time;
        _processId = processId ?? Environment.ProcessId;
        Use(targets);
    }

    /// <summary>Sends what is logged from now on to other files, as a reload may ask; loggers that exist follow.</summary>
    public void Use(IEnumerable<ErrorLogTarget> targets)
    {
        ErrorLogTarget[] all = [.. targets];
        Volatile.Write(ref _targets, all);
        var lowest = LogLevel.None;
        foreach (var target in all)
            lowest = target.Level < lowest ? target.Level : lowest;
        _lowest = lowest;
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName[(categoryName.LastIndexOf('.') + 1)..]);

    /// <summary>Not possible: the files are all there is.</summary>
    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The error log has no other providers.");

    /// <summary>Ends logging; the files stay open, they belong to the caller.</summary>
    public void Dispose() => Use([]);

    private static ReadOnlySpan<byte> Word(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug"u8,
        LogLevel.Information => "info"u8,
        LogLevel.Warning => "warn"u8,
        LogLevel.Error => "error"u8,
        _ => "crit"u8,
    };

    private void Write(LogLevel level, string category, string message, IReadOnlyList<KeyValuePair<string, object?>>? values, Exception? exception)
    {
        var found = new SessionSearch { Id = SessionSearch.In(values) };
        if (found.Id is null)
            _scopes.ForEachScope(static (scope, search) => search.Id = SessionSearch.In(scope as IEnumerable<KeyValuePair<string, object?>>) ?? search.Id, found);
        using var line = LogLine.Rent();
        line.Add(_time.GetLocalNow().DateTime, "yyyy'/'MM'/'dd HH':'mm':'ss").Add(" ["u8).Add(Word(level)).Add("] "u8).Add(_processId).Add("#0: "u8);
        if (found.Id is { } session)
        {
            line.Add((byte)'*');
            line.AddSafe(session, LogText.MostValue);
            line.Add((byte)' ');
        }
        line.Add(category).Add(": "u8);
        var template = values is [.., { Key: "{OriginalFormat}", Value: string format }] ? format : null;
        line.AddSafe(WithoutSession(message, template, found.Id), LogText.MostMessage);
        if (template is not null)
            AddValues(line, values!, template);
        var inner = 0;
        for (var e = exception; e is not null && inner < MostInner; e = e.InnerException, inner++)
        {
            line.Add(inner == 0 ? "; "u8 : " <- "u8).Add(e.GetType().Name).Add(": "u8);
            line.AddSafe(e.Message, MostException);
        }
        Append(line, level, exception?.StackTrace);
    }

    // The stack is for those who asked for debug; a file at info keeps its lines short.
    private void Append(LogLine line, LogLevel level, string? stack)
    {
        var end = line.Length;
        var hasStack = false;
        foreach (var target in Volatile.Read(ref _targets))
        {
            if (level < target.Level)
                continue;
            var wantsStack = stack is not null && target.Level <= LogLevel.Debug;
            if (line.Length == end || wantsStack != hasStack)
            {
                line.Cut(end);
                if (wantsStack)
                {
                    foreach (var frame in stack.AsSpan(0, Math.Min(stack!.Length, MostStack)).EnumerateLines())
                    {
                        line.Add(" | "u8);
                        line.AddSafe(frame.Trim(), LogText.MostMessage);
                    }
                }
                line.Add((byte)'\n');
                hasStack = wantsStack;
            }
            target.File.Append(line.Written);
        }
    }

    // Messages begin with "session {Session}" for those who read them elsewhere; here the id stands before the category already.
    private static string WithoutSession(string message, string? template, string? session)
    {
        const string Word = "session";
        if (session is null || template is null || !template.StartsWith("session {Session}", StringComparison.Ordinal)
            || !message.StartsWith($"{Word} {session}", StringComparison.Ordinal))
            return message;
        var rest = message.AsSpan(Word.Length + 1 + session.Length);
        return rest.StartsWith(": ") ? rest[2..].ToString() : string.Concat(Word, rest);
    }

    // By the convention of Microsoft.Extensions.Logging the template is the last value.
    private static void AddValues(LogLine line, IReadOnlyList<KeyValuePair<string, object?>> values, string template)
    {
        for (var i = 0; i < values.Count - 1; i++)
        {
            var (name, value) = values[i];
            if (value is null || SessionSearch.IsSession(name) || Names(template, name))
                continue;
            line.Add(", "u8).Add(name).Add(": "u8);
            line.AddSafe(Convert.ToString(value, CultureInfo.InvariantCulture), LogText.MostMessage);
        }
    }

    private static bool Names(ReadOnlySpan<char> template, ReadOnlySpan<char> name)
    {
        for (var at = template.IndexOf(name); at >= 0; at = template.IndexOf(name))
        {
            var end = at + name.Length;
            if (at > 0 && template[at - 1] is '{' or '@' && end < template.Length && template[end] is '}' or ':' or ',')
                return true;
            template = template[end..];
        }
        return false;
    }

    private sealed class SessionSearch
    {
        public string? Id { get; set; }

        // A [LoggerMessage] parameter that the template does not name keeps its own spelling.
        public static bool IsSession(string name) =>
            name.Equals("session", StringComparison.OrdinalIgnoreCase) || name.Equals("sessionId", StringComparison.OrdinalIgnoreCase);

        public static string? In(IEnumerable<KeyValuePair<string, object?>>? values)
        {
            if (values is null)
                return null;
            foreach (var (name, value) in values)
            {
                if (IsSession(name) && value is not null)
                    return Convert.ToString(value, CultureInfo.InvariantCulture);
            }
            return null;
        }
    }

    private sealed class Logger(ErrorLog log, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel >= log._lowest && logLevel != LogLevel.None;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => log._scopes.Push(state);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, category, formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>>, exception);
        }
    }
}
