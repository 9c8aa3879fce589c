using System.Linq;
using Microsoft.Extensions.Logging;

namespace Ferry.FunctionalTests.Harness;

/// <summary>One log message as it was said.</summary>
internal sealed record LogRecord(string Category, LogLevel Level, EventId Event, string Message, IReadOnlyDictionary<string, object?> Values, Exception? Exception)
{
    public override string ToString() => $"{Level} {Category} {Event.Id} {Event.Name}: {Message}{(Exception is null ? "" : "\n" + Exception)}";
}

/// <summary>Keeps every log message for a test, and tells who waits for one.</summary>
internal sealed class CapturedLogs : ILoggerFactory
{
    private const int Most = 200_000;

    private readonly List<LogRecord> _records = [];
    private readonly List<(Func<LogRecord, bool> Condition, TaskCompletionSource<LogRecord> Source)> _waiters = [];

    public IReadOnlyList<LogRecord> Records
    {
        get
        {
            lock (_records)
                return _records.ToArray();
        }
    }

    /// <summary>The first record, past or to come, of which the condition is true.</summary>
    public Task<LogRecord> FirstAsync(Func<LogRecord, bool> condition, string what)
    {
        lock (_records)
        {
            if (_records.FirstOrDefault(condition) is { } past)
                return Task.FromResult(past);
            var source = new TaskCompletionSource<LogRecord>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiters.Add((condition, source));
            return Wait.For(source.Task, $"the log message {what}");
        }
    }

    /// <summary>The first record, past or to come, with this event id.</summary>
    public Task<LogRecord> EventAsync(int id) => FirstAsync(r => r.Event.Id == id, $"with event id {id}");

    /// <summary>The first record, past or to come, whose message contains the text.</summary>
    public Task<LogRecord> SaidAsync(string text) => FirstAsync(r => r.Message.Contains(text, StringComparison.OrdinalIgnoreCase), $"with the text {text}");

    public override string ToString() => string.Join('\n', Records);

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("The messages go to the test only.");

    public void Dispose()
    {
    }

    private void Add(LogRecord record)
    {
        lock (_records)
        {
            if (_records.Count < Most)
                _records.Add(record);
            foreach (var (_, source) in _waiters.FindAll(w => w.Condition(record)))
                source.TrySetResult(record);
            _waiters.RemoveAll(w => w.Source.Task.IsCompleted);
        }
    }

    private sealed class Logger(CapturedLogs logs, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var values = new Dictionary<string, object?>();
            if (state is IEnumerable<KeyValuePair<string, object?>> pairs)
            {
                foreach (var (key, value) in pairs)
                    values[key] = value;
            }
            logs.Add(new LogRecord(category, logLevel, eventId, formatter(state, exception), values, exception));
        }
    }
}
