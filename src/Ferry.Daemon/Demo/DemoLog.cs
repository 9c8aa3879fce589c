using Microsoft.Extensions.Logging;

namespace Ferry.Daemon.Demo;

/// <summary>Prints what the proxy does, a line each, for the person who watches.</summary>
internal sealed class DemoLog(TimeProvider time) : ILoggerFactory, ILogger
{
    private readonly Lock _line = new();

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
        // Nobody but the screen listens.
    }

    public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and < LogLevel.None;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
            return;
        var word = logLevel switch
        {
            LogLevel.Information => "",
            LogLevel.Warning => "warning: ",
            _ => "error: ",
        };
        lock (_line)
            Console.Out.WriteLine($"{time.GetLocalNow():HH:mm:ss}  {word}{formatter(state, exception)}{(exception is null ? "" : $" ({exception.Message})")}");
    }

    public void Dispose()
    {
        // Holds nothing.
    }
}
