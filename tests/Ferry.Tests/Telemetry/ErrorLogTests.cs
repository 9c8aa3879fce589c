// A test logs as any embedder may, also by the plain extension methods.
#pragma warning disable CA1848, CA1873
using System.Linq;
using Ferry.Telemetry;
using Microsoft.Extensions.Logging;

namespace Ferry.Tests.Telemetry;

public sealed partial class ErrorLogTests
{
    private static readonly FixedTimeProvider Time = new(new DateTimeOffset(2026, 11, 22, 1, 28, 34, TimeSpan.Zero), TimeSpan.Zero);

    [Fact]
    public async Task A_message_has_time_level_process_session_and_category()
    {
        await using var log = new CapturedLog();
        var logger = Loggers(log).CreateLogger("Ferry.Sessions.FtpSession");
        Log.PortGiven(logger, "k3f9", 10004, 1, 10);
        Log.Ended(logger, "k3f9", "client_quit");
        const string Head = "2026/11/22 01:28:34 [info] 4711#0: *k3f9 FtpSession: ";
        Assert.Equal($"{Head}port 10004 given, used: 1, free: 10\n{Head}session ended: client_quit\n", await log.ReadAsync());
    }

    [Fact]
    public async Task Time_is_that_of_the_zone_of_the_time_provider()
    {
        await using var log = new CapturedLog();
        var time = new FixedTimeProvider(new DateTimeOffset(2026, 11, 22, 20, 28, 34, TimeSpan.Zero), TimeSpan.FromHours(5.5));
        new ErrorLog([new(log.File, LogLevel.Information)], time, 1).CreateLogger("A").LogInformation("x");
        Assert.Equal("2026/11/23 01:58:34 [info] 1#0: A: x\n", await log.ReadAsync());
    }

    [Theory]
    [InlineData(LogLevel.Trace, "debug")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Information, "info")]
    [InlineData(LogLevel.Warning, "warn")]
    [InlineData(LogLevel.Error, "error")]
    [InlineData(LogLevel.Critical, "crit")]
    public async Task Levels_have_the_words_of_nginx(LogLevel level, string word)
    {
        await using var log = new CapturedLog();
        Loggers(log, LogLevel.Trace).CreateLogger("A").Log(level, "x");
        Assert.Equal($"2026/11/22 01:28:34 [{word}] 4711#0: A: x\n", await log.ReadAsync());
    }

    [Fact]
    public async Task Each_file_takes_its_level_and_worse()
    {
        await using var all = new CapturedLog();
        await using var few = new CapturedLog();
        var logger = new ErrorLog([new(few.File, LogLevel.Error), new(all.File, LogLevel.Information)], Time, 4711).CreateLogger("A");
        Assert.False(logger.IsEnabled(LogLevel.Debug));
        Assert.True(logger.IsEnabled(LogLevel.Information));
        Assert.False(logger.IsEnabled(LogLevel.None));
        logger.LogDebug("one");
        logger.LogWarning("two");
        logger.LogError("three");
        Assert.Equal(["two", "three"], Messages(await all.ReadAsync()));
        Assert.Equal(["three"], Messages(await few.ReadAsync()));
    }

    [Fact]
    public async Task Loggers_follow_a_reload_to_other_files()
    {
        await using var before = new CapturedLog();
        await using var after = new CapturedLog();
        using var log = Loggers(before);
        var logger = log.CreateLogger("A");
        logger.LogInformation("one");
        log.Use([new(after.File, LogLevel.Debug)]);
        logger.LogDebug("two");
        log.Use([]);
        Assert.False(logger.IsEnabled(LogLevel.Critical));
        logger.LogCritical("three");
        Assert.Equal(["one"], Messages(await before.ReadAsync()));
        Assert.Equal(["two"], Messages(await after.ReadAsync()));
    }

    [Fact]
    public async Task The_session_of_a_scope_is_named()
    {
        await using var log = new CapturedLog();
        var logger = Loggers(log).CreateLogger("A");
        using (logger.BeginScope(new Dictionary<string, object?> { ["SessionId"] = "k3f9" }))
        using (logger.BeginScope("other"))
            logger.LogInformation("inside");
        logger.LogInformation("outside");
        Assert.Equal("2026/11/22 01:28:34 [info] 4711#0: *k3f9 A: inside\n2026/11/22 01:28:34 [info] 4711#0: A: outside\n", await log.ReadAsync());
    }

    [Fact]
    public async Task An_exception_is_one_line_with_its_causes()
    {
        await using var log = new CapturedLog();
        Loggers(log).CreateLogger("A").LogError(new InvalidOperationException("outer\nline", new ArgumentException("inner")), "failed");
        Assert.Equal("2026/11/22 01:28:34 [error] 4711#0: A: failed; InvalidOperationException: outer\\x0Aline <- ArgumentException: inner\n", await log.ReadAsync());
    }

    [Fact]
    public async Task The_stack_is_only_for_files_at_debug()
    {
        await using var info = new CapturedLog();
        await using var debug = new CapturedLog();
        var logger = new ErrorLog(
            [new(info.File, LogLevel.Information), new(debug.File, LogLevel.Debug), new(info.File, LogLevel.Error)], Time, 4711).CreateLogger("A");
        try
        {
            throw new InvalidOperationException("thrown");
        }
        catch (InvalidOperationException e)
        {
            logger.LogError(e, "failed");
        }
        const string Line = "2026/11/22 01:28:34 [error] 4711#0: A: failed; InvalidOperationException: thrown";
        Assert.Equal($"{Line}\n{Line}\n", await info.ReadAsync());
        var written = await debug.ReadAsync();
        Assert.StartsWith($"{Line} | at Ferry.Tests.Telemetry.ErrorLogTests.", written);
        Assert.Equal(1, written.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Values_that_the_message_does_not_name_follow_it()
    {
        await using var log = new CapturedLog();
        Loggers(log).CreateLogger("A").Log(
            LogLevel.Information,
            0,
            Values("port {Port} given", ("session", "k3f9"), ("Port", 10004), ("Por", 2.5), ("Peer", null), ("Used", 3)),
            null,
            (_, _) => "port 10004 given");
        Assert.Equal("2026/11/22 01:28:34 [info] 4711#0: *k3f9 A: port 10004 given, Por: 2.5, Used: 3\n", await log.ReadAsync());
    }

    [Theory]
    [InlineData("bob\r\n2026/11/22 01:28:34 [crit] forged", "bob\\x0D\\x0A2026/11/22 01:28:34 [crit] forged")]
    [InlineData("\u001b[2J\u007f\u009b1m", "\\x1B[2J\\x7F\\x9B1m")]
    [InlineData("a\\x0Ab", "a\\\\x0Ab")]
    [InlineData("\u2028\u202e", "\\u2028\\u202E")]
    public async Task Nobody_can_forge_a_line(string user, string written)
    {
        await using var log = new CapturedLog();
        var logger = Loggers(log).CreateLogger("A");
        Log.UserNamed(logger, "s", user);
        logger.Log(LogLevel.Information, 0, Values("plain", ("User", user)), null, (_, _) => "plain");
        const string Head = "2026/11/22 01:28:34 [info] 4711#0: ";
        Assert.Equal($"{Head}*s A: user {written}\n{Head}A: plain, User: {written}\n", await log.ReadAsync());
    }

    [Fact]
    public async Task Readable_letters_stay_and_long_messages_are_cut()
    {
        await using var log = new CapturedLog();
        var logger = Loggers(log).CreateLogger("A");
        logger.LogInformation("Grüße 日本 😀");
        logger.LogInformation("{Text}", new string('x', 5000));
        logger.LogInformation("half \ud800 a letter");
        var lines = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(await log.ReadAsync())).Split('\n');
        Assert.EndsWith("A: Grüße 日本 😀", lines[0]);
        Assert.EndsWith("A: " + new string('x', LogText.MostMessage) + "...", lines[1]);
        Assert.EndsWith(@"A: half \uD800 a letter", lines[2]);
    }

    [Fact]
    public async Task A_value_that_logs_while_it_is_formatted_does_no_harm()
    {
        await using var log = new CapturedLog();
        var logger = Loggers(log).CreateLogger("A");
        logger.Log(LogLevel.Information, 0, Values("outer", ("Value", new Talkative(logger))), null, (_, _) => "outer");
        Assert.Equal(["inner", "outer, Value: talk"], Messages(await log.ReadAsync()));
    }

    private static ErrorLog Loggers(CapturedLog log, LogLevel level = LogLevel.Information) => new([new(log.File, level)], Time, 4711);

    private static List<KeyValuePair<string, object?>> Values(string template, params (string Name, object? Value)[] values) =>
        [.. values.Select(v => KeyValuePair.Create(v.Name, v.Value)), new("{OriginalFormat}", template)];

    private static IEnumerable<string> Messages(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split("#0: A: ")[1]);

    private sealed class Talkative(ILogger logger)
    {
        public override string ToString()
        {
            logger.LogInformation("inner");
            return "talk";
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "session {Session}: port {Port} given, used: {Used}, free: {Free}")]
        public static partial void PortGiven(ILogger logger, string session, int port, int used, int free);

        [LoggerMessage(3, LogLevel.Information, "session {Session} ended: {Reason}")]
        public static partial void Ended(ILogger logger, string session, string reason);

        [LoggerMessage(2, LogLevel.Information, "session {Session}: user {User}")]
        public static partial void UserNamed(ILogger logger, string session, string user);
    }
}
