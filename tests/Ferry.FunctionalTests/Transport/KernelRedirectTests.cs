using System.Net.Sockets;
using Ferry.FunctionalTests.Harness;
using Ferry.Tests;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.FunctionalTests.Transport;

public sealed class KernelRedirectTests : IDisposable
{
    private const string Removed = ":FERRY-10001 - [0:0]\n-X FERRY-10001\nCOMMIT\n";

    private static readonly RedirectRule V4 = new(10001, AddressFamily.InterNetwork, null, 11000, 12000);
    private static readonly RedirectRule V6 = V4 with { Family = AddressFamily.InterNetworkV6 };
    private static readonly RedirectRule Other = V4 with { DestinationPort = 10002, First = 13000, Last = 13000 };

    private readonly FakeIptables _programs = new();
    private readonly KernelRedirect _kernel = new(NullLogger.Instance);
    private readonly IptablesTool _iptables;

    public KernelRedirectTests() => _iptables = new IptablesTool(_programs.ForIPv4, _programs.ForIPv6, TimeProvider.System);

    public void Dispose() => _programs.Dispose();

    [Fact]
    public async Task What_is_as_it_should_be_is_not_touched()
    {
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, Other]));
        Assert.Contains("--dport 11000:12000", _programs.Said(), StringComparison.Ordinal);
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, Other, V4]));
        Assert.Equal("", _programs.Said());
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, Other with { Last = 13010 }]));
        var said = _programs.Said();
        Assert.Contains("--dport 13000:13010", said, StringComparison.Ordinal);
        Assert.DoesNotContain("10001", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wanted_no_more_is_removed()
    {
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, Other]));
        _programs.Said();
        Assert.Null(await _kernel.ApplyAsync([_iptables], [Other]));
        Assert.Equal($"iptables\n*nat\n{Removed}", _programs.Said());
        Assert.Null(await _kernel.ApplyAsync([], []));
        Assert.Contains("-X FERRY-10002", _programs.Said(), StringComparison.Ordinal);
        Assert.Null(await _kernel.ApplyAsync([], []));
        Assert.Equal("", _programs.Said());
    }

    [Fact]
    public async Task What_fails_for_one_family_is_undone_for_the_other()
    {
        _programs.Break("ip6tables");
        Assert.Equal($"{_programs.ForIPv6}-restore: no such luck (exit code 4)", await _kernel.ApplyAsync([_iptables], [V4, V6]));
        Assert.EndsWith($"COMMIT\niptables\n*nat\n{Removed}", _programs.Said(), StringComparison.Ordinal);
        _programs.Mend("ip6tables");
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, V6]));
        Assert.Contains("COMMIT\nip6tables\n*nat\n:FERRY-10001", _programs.Said(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_that_fails_leaves_what_was_there()
    {
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, V6]));
        _programs.Said();
        _programs.Break("ip6tables");
        Assert.NotNull(await _kernel.ApplyAsync([_iptables], [V4 with { Last = 11999 }, V6 with { Last = 11999 }]));
        var said = _programs.Said();
        Assert.True(said.IndexOf("11000:11999", StringComparison.Ordinal) is > 0 and var made && said.IndexOf("11000:12000", StringComparison.Ordinal) > made, said);
        _programs.Mend("ip6tables");
        Assert.Null(await _kernel.ApplyAsync([_iptables], [V4, V6]));
        Assert.Equal("", _programs.Said());
    }

    [Fact]
    public async Task The_next_program_is_tried_and_all_reasons_are_told()
    {
        var missing = new IptablesTool("/none/iptables", "/none/ip6tables", TimeProvider.System);
        Assert.Null(await _kernel.ApplyAsync([missing, _iptables], [V4]));
        Assert.NotEqual("", _programs.Said());
        _programs.Break("iptables");
        var error = await new KernelRedirect(NullLogger.Instance).ApplyAsync([missing, _iptables], [V4]);
        Assert.Equal($"/none/iptables-restore: there is no such program; {_programs.ForIPv4}-restore: no such luck (exit code 4)", error);
    }

    [Fact]
    public async Task A_program_that_does_not_end_is_ended_after_ten_seconds()
    {
        var clock = new ManualTimeProvider();
        var running = SystemProgram.RunAsync("sleep", ["600"], "", clock);
        await Wait.Until(() => clock.ActiveTimers == 1, "the bound");
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.False(running.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.EndsWith("sleep: not done after 10 seconds", await Wait.For(running, "its end"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_program_that_says_too_much_the_first_words_are_told()
    {
        var said = await SystemProgram.RunAsync("sh", ["-c", "head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; exit 3"], new string('y', 1 << 20), TimeProvider.System);
        Assert.EndsWith("xxx (exit code 3)", said, StringComparison.Ordinal);
        Assert.InRange(said!.Length, 1000, 1100);
    }

    [Fact]
    public async Task A_file_that_is_no_program_is_told() =>
        Assert.StartsWith("/etc/passwd: ", await SystemProgram.RunAsync("/etc/passwd", [], "", TimeProvider.System), StringComparison.Ordinal);
}
