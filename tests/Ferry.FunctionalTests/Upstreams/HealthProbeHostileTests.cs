using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Servers that keep a check busy, or try to.</summary>
public sealed class HealthProbeHostileTests
{
    private static readonly HealthCheckConfig List = new() { Type = HealthCheckType.List };

    [Theory]
    [InlineData("220-and so on\r\n")]
    [InlineData("220 endless")]
    [InlineData("220-\r\n\r\n\r\n\r\n")]
    public async Task A_greeting_without_end_is_given_up(string piece)
    {
        await using var rig = new ProbeRig(c => ProbeRig.FloodAsync(() => c.Wire.SendRawAsync(piece)));
        Assert.Equal("its greeting does not end", (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task Silence_is_given_up_when_the_time_is_over()
    {
        await using var rig = new ProbeRig(static c => c.ExpectEndAsync());
        Assert.Equal("no greeting within 5 s", (await rig.RunOutAsync()).Failure);
    }

    [Fact]
    public async Task A_byte_at_a_time_wins_no_time()
    {
        await using var rig = new ProbeRig(static c => ProbeRig.FloodAsync(() => c.Wire.SendBytewiseAsync("2")));
        Assert.Equal("no greeting within 5 s", (await rig.RunOutAsync()).Failure);
    }

    [Fact]
    public async Task A_listing_without_end_is_given_up()
    {
        var sent = 0L;
        await using var rig = new ProbeRig(c => ServeAsync(c, data => ProbeRig.FloodAsync(async () =>
        {
            await data.SendAsync(new byte[65536]);
            sent += 65536;
        })))
        { Check = List };

        Assert.Equal("it sent more than 1048576 bytes", (await rig.RunAsync()).Failure);
        await rig.DoneAsync();
        Assert.InRange(sent, 1 << 20, 64 << 20); // what is above is in the kernel's buffers
    }

    [Theory]
    [InlineData(true, "no end of its data within 5 s")]
    [InlineData(false, "no end of LIST within 5 s")]
    public async Task A_listing_that_stands_still_is_given_up_when_the_time_is_over(bool inData, string failure)
    {
        await using var rig = new ProbeRig(async c =>
        {
            await ServeAsync(c, async data =>
            {
                await data.SendAsync("-rw-r--r--"u8.ToArray());
                if (inData)
                    await data.ReceiveToEndAsync();
            });
            await c.ExpectEndAsync();
        })
        { Check = List };

        Assert.Equal(failure, (await rig.RunOutAsync()).Failure);
    }

    [Fact]
    public async Task A_data_port_that_nobody_answers_on_is_given_up_when_the_time_is_over()
    {
        // Its queue is full, so that the kernel drops what comes, as a firewall does.
        using var deaf = new DeafPort();
        await using var rig = new ProbeRig(async c =>
        {
            await c.LogInAsync();
            await c.AnswerAsync("EPSV", $"229 Entering Extended Passive Mode (|||{deaf.EndPoint.Port}|)");
            await c.ExpectEndAsync();
        })
        { Check = List };

        Assert.Equal("no data connection within 5 s", (await rig.RunOutAsync()).Failure);
    }

    [Fact]
    public async Task A_check_that_is_stopped_ends_at_once_and_says_nothing_of_the_server()
    {
        using var stop = new CancellationTokenSource();
        await using var rig = new ProbeRig(static c => c.ExpectEndAsync());
        var running = rig.RunAsync(stop: stop.Token);
        await rig.ConnectedAsync();

        await stop.CancelAsync();

        Assert.True((await running).IsVoid);
    }

    [Fact]
    public async Task A_server_that_does_not_let_go_has_passed_all_the_same()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.SendAsync("220 scripted");
            await c.ExpectAsync("QUIT");
            await c.ExpectEndAsync();
        });
        Assert.Null((await rig.RunOutAsync()).Failure);
    }

    private static async Task ServeAsync(ScriptedConnection c, Func<DataEnd, Task> serve)
    {
        await c.LogInAsync();
        await c.ExpectAsync("EPSV");
        var port = c.OpenDataPort();
        await c.SendAsync(port.EpsvReply);
        await c.ExpectAsync("LIST");
        using var data = await c.AcceptAsync(port);
        await c.SendAsync("150 Here.");
        await serve(data);
    }
}
