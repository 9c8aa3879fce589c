using System.Text.RegularExpressions;
using Ferry.FunctionalTests.Harness;
using static Ferry.FunctionalTests.Transport.SinglePortSetting;

namespace Ferry.FunctionalTests.Transport;

/// <summary>One listener for a thousand ports: ferryd as a process, with the kernel's own rules, between namespaces.</summary>
public sealed class SinglePortTests(SinglePortSetting setting) : IClassFixture<SinglePortSetting>
{
    [RootTheory("ip", "nft", "iptables", "ip6tables", "python3", "vsftpd")]
    [InlineData("nft", "ferry_10001")]
    [InlineData("iptables", "jump FERRY-10001")]
    [InlineData("tproxy", "ferry_10001")]
    public async Task A_thousand_transfers_over_a_range_of_a_thousand_ports_and_nothing_else_is_touched(string method, string name)
    {
        var before = await setting.RulesAsync();
        var rules = "";
        await using (var killed = await setting.StartAsync(method))
        {
            await Task.WhenAll(
                setting.TransferAsync(setting.Machines.Client, Namespaces.FerryAddress, "PASV", Last - First + 1),
                setting.TransferAsync(setting.Machines.Client, FerryIPv6, "EPSV", Last - First + 1));
            await setting.ForwardedAsync();
            rules = await setting.RulesAsync();
            Assert.NotEqual(before, rules);
            await killed.SignalAsync("KILL");
            await killed.ExitedAsync();
        }
        Assert.Equal(rules, await setting.RulesAsync());

        await using var ferry = await setting.StartAsync(method);
        Assert.Equal(rules, await setting.RulesAsync());
        Assert.Equal(Expected(method), Regex.Count(rules, Regex.Escape(name)));
        await setting.TransferAsync(setting.Machines.Client, Namespaces.FerryAddress, "EPSV", 20);
        await setting.TransferAsync(setting.Machines.Client, FerryIPv6, "EPSV", 20);
        await ferry.SignalAsync("TERM");
        Assert.Equal(0, await ferry.ExitedAsync());
        Assert.Equal(before, await setting.RulesAsync());
    }

    [RootFact("ip", "nft", "iptables", "ip6tables", "python3", "vsftpd")]
    public async Task Clients_on_Ferrys_own_machine_are_served_and_strangers_are_not()
    {
        await using var ferry = await setting.StartAsync("auto");
        foreach (var host in (string[])[Namespaces.FerryAddress, "127.0.0.1", FerryIPv6])
            await setting.TransferAsync(setting.Machines.Ferry, host, "EPSV", 5);
        await setting.RefusedAsync(Namespaces.FerryAddress, Port, First, Last);
        await setting.RefusedAsync(FerryIPv6, Port, First, Last);
        await Wait.Until(
            () => Regex.Count(setting.ReadLog(), $"data connection from {Namespaces.ClientAddress} to port ({Port}|{First}|{Last}), which {Port} stands for, refused") == 3,
            () => $"three refusals in the log:\n{setting.ReadLog()}");
        await ferry.SignalAsync("QUIT");
        Assert.Equal(0, await ferry.ExitedAsync());
    }

    [RootTheory("ip", "nft", "iptables", "ip6tables", "python3", "vsftpd")]
    [InlineData("nft")]
    [InlineData("iptables")]
    public async Task A_reload_with_another_range_serves_the_new_and_lets_old_sessions_end_with_theirs(string method)
    {
        var before = await setting.RulesAsync();
        await using var ferry = await setting.StartAsync(method);
        await using var old = await setting.HoldAsync("PASV");
        await old.SaidAsync("ready");
        setting.Write(method, 13000, 13099);
        await ferry.SignalAsync("HUP");
        await Wait.Until(() => setting.ReadLog().Contains("generation 2 is in force", StringComparison.Ordinal), () => $"the reload:\n{setting.ReadLog()}");
        await setting.TransferAsync(setting.Machines.Client, Namespaces.FerryAddress, "EPSV", 100);
        await setting.TransferAsync(setting.Machines.Client, FerryIPv6, "EPSV", 100);
        await old.SignalAsync("USR1");
        Assert.StartsWith("port 11", await old.SaidAsync("port"), StringComparison.Ordinal);
        Assert.Contains("dport 11000-11999", await setting.RulesAsync(), StringComparison.Ordinal);

        await old.SignalAsync("TERM");
        await Wait.Until(() => Regex.Count(setting.ReadLog(), "the kernel's rules are changed") == 3, () => $"the end of the old rules:\n{setting.ReadLog()}");
        var rules = await setting.RulesAsync();
        Assert.Contains("dport 13000-13099", rules, StringComparison.Ordinal);
        Assert.DoesNotContain("11000", rules, StringComparison.Ordinal);
        await ferry.SignalAsync("TERM");
        Assert.Equal(0, await ferry.ExitedAsync());
        Assert.Equal(before, await setting.RulesAsync());
    }

    [RootTheory("ip", "nft", "iptables", "ip6tables", "python3", "vsftpd")]
    [InlineData("nft", "nft", "nft -f -")]
    [InlineData("iptables", "iptables", "sh")]
    [InlineData("tproxy", "nft", "nft -f -")]
    public async Task Rules_that_ferryd_prints_do_what_those_that_it_makes_do(string format, string tool, string program)
    {
        var before = await setting.RulesAsync();
        var file = setting.Write("none");
        var printed = (await FerrydProcess.RunAsync("rules", "--format", format, "-c", file)).Succeeded().Output;
        await using (var ferry = await setting.StartAsync("none"))
        {
            Assert.Equal(before, await setting.RulesAsync());
            // Twice, as an operator may.
            foreach (var _ in (int[])[1, 2])
                (await Command.RunAsync("sh", ["-c", program], printed, setting.Machines.Ferry)).Succeeded();
            await setting.TransferAsync(setting.Machines.Client, Namespaces.FerryAddress, "PASV", 20);
            await setting.TransferAsync(setting.Machines.Client, FerryIPv6, "EPSV", 20);
            Assert.Equal(Expected(format), Regex.Count(await setting.RulesAsync(), format == "iptables" ? "jump FERRY-10001" : "ferry_10001"));
        }
        // What is left is taken over by a ferryd that makes its own.
        await using (var heir = await setting.StartAsync(tool))
        {
            await heir.SignalAsync("TERM");
            Assert.Equal(0, await heir.ExitedAsync());
        }
        Assert.Equal(before, await setting.RulesAsync());
    }

    // A table once; the jumps from two chains in two families.
    private static int Expected(string method) => method == "iptables" ? 4 : 1;
}
