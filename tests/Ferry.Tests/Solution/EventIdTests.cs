using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using Ferry.Config;
using Microsoft.Extensions.Logging;

namespace Ferry.Tests.Solution;

public sealed partial class EventIdTests
{
    private static readonly Dictionary<string, int> Hundreds = new()
    {
        ["Transport"] = 100,
        ["Relay"] = 200,
        ["Upstreams"] = 300,
        ["Sessions"] = 400,
        ["Hosting"] = 500,
        ["Telemetry"] = 600,
        ["Config"] = 700,
    };

    private static readonly List<(MethodInfo Method, int Id)> Messages = Find();

    [Fact]
    public void No_two_messages_have_the_same_id()
    {
        Assert.NotEmpty(Messages);
        Repository.AssertNone([.. Messages.GroupBy(message => message.Id).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(message => Name(message.Method)))}")]);
    }

    [Fact]
    public void An_id_lies_in_the_hundred_of_its_folder()
    {
        var problems = new List<string>();
        foreach (var (method, id) in Messages)
        {
            var folder = method.DeclaringType!.Namespace!.Split('.')[1];
            if (!Hundreds.TryGetValue(folder, out var first))
                problems.Add($"{Name(method)}: {folder} does not log");
            else if (id < first || id >= first + 100)
                problems.Add($"{Name(method)}: {id} is not within {first}-{first + 99}");
        }
        Repository.AssertNone(problems);
    }

    /// <summary>The daemon is not referenced here, so its sources are read.</summary>
    [Fact]
    public void The_daemon_has_the_hundred_from_800()
    {
        var ids = Repository.Files("src/Ferry.Daemon", "*.cs").SelectMany(path => DaemonMessage().Matches(Repository.ReadCode(path)))
            .Select(match => int.TryParse(match.Groups[1].Value, out var id) ? id : -1).ToList();
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(ids, id => Assert.InRange(id, 800, 899));
    }

    /// <summary>So that a message is found beside the code that says it, and nobody else says it.</summary>
    [Fact]
    public void A_message_stands_in_a_private_class_Log_inside_the_class_that_says_it() =>
        Repository.AssertNone([.. Messages.Select(message => message.Method)
            .Where(method => method.DeclaringType is not { Name: "Log", IsNestedPrivate: true }).Select(Name)]);

    [Fact]
    public void Nothing_is_logged_without_an_id()
    {
        var problems = new List<string>();
        foreach (var path in Repository.Files("src/Ferry", "*.cs"))
            problems.AddRange(UnnumberedLog().Matches(Repository.ReadCode(path)).Select(call => $"{path}: {call.Value}"));
        Repository.AssertNone(problems);
    }

    private static List<(MethodInfo, int)> Find()
    {
        const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        return [.. typeof(FerryConfig).Assembly.GetTypes().SelectMany(type => type.GetMethods(all))
            .Select(method => (Method: method, Message: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(found => found.Message != null)
            .Select(found => (found.Method, found.Message!.EventId))];
    }

    private static string Name(MethodInfo method) => $"{method.DeclaringType!.FullName!.Replace('+', '.')}.{method.Name}";

    [GeneratedRegex(@"\[LoggerMessage\((?:EventId\s*=\s*)?(\w*)")]
    private static partial Regex DaemonMessage();

    [GeneratedRegex(@"\.Log(?:Trace|Debug|Information|Warning|Error|Critical)\s*\(|\bLoggerMessage\.Define\b")]
    private static partial Regex UnnumberedLog();
}
