using System.Net;
using System.Text;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>What a check says to a server, and what it makes of the answers.</summary>
public sealed class HealthProbeTests
{
    private static readonly byte[] Listing = Encoding.ASCII.GetBytes("-rw-r--r-- 1 a b 1 Jan 1 00:00 README\r\n");

    [Fact]
    public async Task Connect_asks_for_a_connection_only()
    {
        await using var rig = new ProbeRig(static c => c.ExpectEndAsync()) { Check = new HealthCheckConfig { Type = HealthCheckType.Connect } };

        Assert.Null((await rig.RunAsync()).Failure);

        await rig.ConnectedAsync();
        await rig.DoneAsync();
    }

    [Theory]
    [InlineData("220 here\r\n")]
    [InlineData("220-here\r\n 220 is not the end\r\n221 nor this\r\n220 but this\r\n")]
    [InlineData("120 wait\r\n220 here\r\n")]
    public async Task Banner_waits_for_the_whole_greeting_and_takes_its_leave(string greeting)
    {
        await using var rig = new ProbeRig(async c =>
        {
            await c.Wire.SendBytewiseAsync(greeting);
            await c.AnswerQuitAsync();
        });

        Assert.Equal(default, await rig.RunAsync());
        Assert.Equal(["QUIT"], rig.Lines);
    }

    [Fact]
    public async Task Login_without_a_user_is_anonymous()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerQuitAsync();
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.Login } };

        Assert.Null((await rig.RunAsync()).Failure);
        Assert.Equal(["USER anonymous", "PASS ferry@", "QUIT"], rig.Lines);
    }

    [Fact]
    public async Task Login_says_the_password_of_the_file_and_nobody_else_learns_it()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.SendAsync("220 scripted");
            await c.AnswerAsync("USER", "331 Password please.");
            var password = await c.ReadLineAsync();
            await c.SendAsync($"530 {password} is wrong.");
            await c.ExpectEndAsync();
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.Login, User = "monitor" }, Password = "s3cret word\nmore" };

        var result = await rig.RunAsync();

        Assert.Equal("it answered PASS with 530", result.Failure);
        Assert.Equal(["USER monitor", "PASS s3cret word"], rig.Lines);
        Assert.DoesNotContain("s3cret", result.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_fetches_a_listing_over_a_real_data_connection()
    {
        await using var rig = ListOf(Listing, "/pub", "README");

        Assert.Null((await rig.RunAsync()).Failure);
        Assert.Equal(["USER anonymous", "PASS ferry@", "EPSV", "LIST /pub", "QUIT"], rig.Lines);
    }

    [Fact]
    public async Task A_listing_without_the_expected_text_fails()
    {
        await using var rig = ListOf(Listing, "/pub", "READYOU");
        Assert.Equal("what it sent does not hold the expected text", (await rig.RunAsync()).Failure);
    }

    [Theory]
    [InlineData(300_000, null)]
    [InlineData(299_999, "it sent 300000 bytes, and 299999 were expected")]
    public async Task Retr_fetches_a_file_and_measures_it(long size, string? failure)
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("TYPE I", "200 Binary.");
            await c.AnswerAsync("EPSV", "500 What?");
            await c.ServeRetrAsync(await c.AnswerPasvAsync(), new byte[300_000]);
            await ProbeRig.PartAsync(c);
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.Retr, Path = "a file", ExpectSize = size } };

        Assert.Equal(failure, (await rig.RunAsync()).Failure);
        Assert.Contains("RETR a file", rig.Lines);
    }

    [Theory]
    [InlineData(PassiveAddressPolicy.Control, null)]
    [InlineData(PassiveAddressPolicy.Trust, "connecting to its data port failed (ConnectionRefused)")]
    public async Task The_address_of_a_227_is_trusted_as_sessions_trust_it(PassiveAddressPolicy policy, string? failure)
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("EPSV", "502 What?");
            await c.ExpectAsync("PASV");
            var port = c.OpenDataPort();
            await c.SendAsync($"227 ok {DataPort.HostPortOf(new IPEndPoint(IPAddress.Parse("127.9.9.9"), port.EndPoint.Port))}");
            if (await c.ReadLineAsync() is null)
                return;
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here.");
            data.Dispose();
            await c.SendAsync("226 Done.");
            await c.AnswerQuitAsync();
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.List }, PassiveAddress = new PassiveAddressConfig(policy, []) };

        Assert.Equal(failure, (await rig.RunAsync()).Failure);
    }

    [Theory]
    [InlineData("421 Full.\r\n", "it greeted with 421")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n", "its greeting is not that of an FTP server")]
    [InlineData("\0\x01\xff\r\n", "its greeting is not that of an FTP server")]
    [InlineData("", "it closed the connection without a greeting")]
    [InlineData("220-half", "it closed the connection without a greeting")]
    public async Task A_greeting_that_is_none_fails(string greeting, string failure)
    {
        await using var rig = new ProbeRig(async c =>
        {
            await c.Wire.SendRawAsync(greeting);
            c.Wire.ShutdownSend();
            await c.ExpectEndAsync();
        });
        Assert.Equal(failure, (await rig.RunAsync()).Failure);
    }

    [Theory]
    [InlineData("EPSV", "550 No.", "it answered EPSV with 550", true)]
    [InlineData("EPSV", "229 Nowhere (|||x|)", "its 229 names no port", false)]
    [InlineData("EPSV", "421 Too slow.", "it answered EPSV with 421", false)]
    [InlineData("LIST", "550 No such folder.", "it answered LIST with 550", false)]
    [InlineData("LIST", "226 Nothing to send.", "it answered LIST with 226", false)]
    public async Task A_refusal_on_the_way_to_data_fails(string command, string answer, string failure, bool asksPasv)
    {
        await using var rig = new ProbeRig(async c =>
        {
            await c.LogInAsync();
            if (command != "EPSV")
                await c.AnswerAsync("EPSV", c.OpenDataPort().EpsvReply);
            await c.AnswerAsync(command, answer);
            if (asksPasv)
                await c.AnswerAsync("PASV", answer);
            await c.ExpectEndAsync();
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.List } };

        Assert.Equal(failure.Replace("EPSV", asksPasv ? "PASV" : "EPSV", StringComparison.Ordinal), (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task Data_that_is_cut_off_fails()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.LogInAsync();
            await c.ExpectAsync("EPSV");
            var port = c.OpenDataPort();
            await c.SendAsync(port.EpsvReply);
            await c.ExpectAsync("LIST");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here.");
            data.Reset();
            await c.ExpectEndAsync();
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.List } };

        Assert.Equal("its data connection was cut off", (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task A_transfer_that_the_server_itself_calls_failed_fails()
    {
        await using var rig = ListOf(Listing, "/pub", "README", "451 Disk trouble.");
        Assert.Equal("it ended LIST with 451", (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task A_closed_port_fails()
    {
        await using var rig = new ProbeRig(static _ => Task.CompletedTask) { Check = new HealthCheckConfig { Port = FreePorts.One() } };
        Assert.Equal("connecting failed (ConnectionRefused)", (await rig.RunAsync()).Failure);
    }

    private static ProbeRig ListOf(byte[] listing, string path, string expected, string end = "226 Done.") => new(async c =>
    {
        await c.LogInAsync();
        await c.ExpectAsync("EPSV");
        var port = c.OpenDataPort();
        await c.SendAsync(port.EpsvReply);
        await c.ExpectAsync("LIST");
        using var data = await c.AcceptAsync(port);
        await c.SendAsync("150 Here.");
        await data.SendAsync(listing);
        data.Dispose();
        await c.SendAsync(end);
        await ProbeRig.PartAsync(c);
    })
    { Check = new HealthCheckConfig { Type = HealthCheckType.List, Path = path, ExpectText = expected } };
}
