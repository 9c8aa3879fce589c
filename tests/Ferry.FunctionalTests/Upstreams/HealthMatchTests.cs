using Ferry.Config;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Checks that say and expect what a match block says.</summary>
public sealed class HealthMatchTests
{
    private static HealthCheckConfig With(string? expect, string? send = null, HealthExpectation kind = HealthExpectation.Text) =>
        new() { Match = new HealthMatchConfig("m") { Send = send, Expect = expect, Kind = kind } };

    [Theory]
    [InlineData("220 scripted\r\n", "scripted", HealthExpectation.Text, true)]
    [InlineData("220 scripted\r\n", @"\x32\x320 scripted\x0d\x0a", HealthExpectation.Text, true)]
    [InlineData("220 scripted\r\n", "^220", HealthExpectation.Regex, true)]
    [InlineData("220 scripted\r\n", "SCRIPTED", HealthExpectation.Regex, false)]
    [InlineData("220 scripted\r\n", "SCRIPTED", HealthExpectation.RegexIgnoreCase, true)]
    [InlineData("421 full, not 220\r\n", "^220", HealthExpectation.Regex, false)]
    [InlineData("220 gr\u00c3\u00bc\u00c3\u009fe\r\n", "gr.{4}e", HealthExpectation.Regex, true)]
    [InlineData("220 gr\u00c3\u00bc\u00c3\u009fe\r\n", "grüße", HealthExpectation.Regex, true)]
    [InlineData("220 gr\u00c3\u00bc\u00c3\u009fe\r\n", "grüße", HealthExpectation.Text, true)]
    [InlineData("", "x", HealthExpectation.Text, false)]
    public async Task What_comes_is_held_against_what_is_expected(string sent, string expect, HealthExpectation kind, bool passes)
    {
        await using var rig = new ProbeRig(c => sent.Length == 0 ? Task.CompletedTask : c.Wire.SendRawAsync(sent)) { Check = With(expect, kind: kind) };
        Assert.Equal(passes ? null : "it closed the connection, and had not sent what match m expects", (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task It_may_come_in_pieces_behind_what_is_sent()
    {
        await using var rig = new ProbeRig(async c =>
        {
            Assert.Equal("say \u0001\u00ff", await c.ReadLineAsync());
            await c.Wire.SendBytewiseAsync("well, well: OK");
            await c.ExpectEndAsync();
        })
        { Check = With("OK$", @"say \x01\xFF" + "\r\n", HealthExpectation.Regex) };
        Assert.Null((await rig.RunAsync()).Failure);
        await rig.DoneAsync();
    }

    [Fact]
    public async Task Without_an_expectation_it_passes_when_its_text_is_sent()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.ExpectAsync("PING");
            await c.ExpectEndAsync();
        })
        { Check = With(null, "PING\r\n") };
        Assert.Null((await rig.RunAsync()).Failure);
        await rig.DoneAsync();
    }

    [Fact]
    public async Task In_implicit_TLS_it_is_said_within()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.StartTlsAsync();
            await c.AnswerAsync("PING", "PONG");
            await c.ExpectEndAsync();
        })
        { Check = With("PONG", "PING\r\n"), Tls = UpstreamTls.Implicit };
        Assert.Null((await rig.RunAsync()).Failure);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("220-and so on\r\n")]
    public async Task A_server_without_an_end_is_given_up(string piece)
    {
        await using var rig = new ProbeRig(c => ProbeRig.FloodAsync(() => c.Wire.SendRawAsync(piece))) { Check = With("^(a|aa)+$", kind: HealthExpectation.Regex) };
        Assert.Equal("the first 4096 bytes that it sent are not what match m expects", (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task Silence_is_given_up_when_the_time_is_over()
    {
        await using var rig = new ProbeRig(static c => c.ExpectEndAsync()) { Check = With("x") };
        Assert.Equal("no answer within 5 s", (await rig.RunOutAsync()).Failure);
    }
}
