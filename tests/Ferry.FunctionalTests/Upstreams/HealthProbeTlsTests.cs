using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Checks that speak TLS.</summary>
public sealed class HealthProbeTlsTests
{
    private static readonly HealthCheckConfig List = new() { Type = HealthCheckType.List };

    [Theory]
    [InlineData(UpstreamTls.Explicit, false)]
    [InlineData(UpstreamTls.Implicit, false)]
    [InlineData(UpstreamTls.Explicit, true)]
    public async Task Both_channels_are_protected_and_the_certificate_is_looked_at(UpstreamTls mode, bool isCut)
    {
        await using var rig = new ProbeRig(async c =>
        {
            if (mode == UpstreamTls.Implicit)
                await c.StartTlsAsync();
            await c.SendAsync("220 scripted");
            if (mode == UpstreamTls.Explicit)
                await c.AnswerAuthAsync();
            await c.AnswerAsync("USER", "230 Logged in.");
            await c.AnswerProtAsync();
            await c.ExpectAsync("EPSV");
            var port = c.OpenDataPort();
            await c.SendAsync(port.EpsvReply);
            await c.ExpectAsync("LIST");
            using var data = await c.AcceptAsync(port);
            await c.SendAsync("150 Here.");
            await data.AcceptTlsAsync(TlsEnd.Server);
            await data.SendAsync(new byte[100]);
            if (isCut)
                data.ShutdownSend();
            else
                await data.EndSendAsync();
            Assert.Equal(isCut, (await data.ReceiveToEndAsync()).Ending != DataEnding.Closed);
            await c.SendAsync("226 Done.");
            await ProbeRig.PartAsync(c);
        })
        { Check = List, Tls = mode };

        var result = await rig.RunAsync();

        Assert.Equal(isCut ? "its data connection was cut off" : null, result.Failure);
        Assert.Equal(TestCertificate.Shared.Certificate.NotAfter.ToUniversalTime(), result.CertificateExpires!.Value.UtcDateTime);
    }

    [Theory]
    [InlineData(UpstreamTls.Implicit, "220 in clear\r\n", "TLS failed (the server speaks no TLS)")]
    [InlineData(UpstreamTls.Implicit, "", "TLS failed (the peer closed the connection during the handshake)")]
    [InlineData(UpstreamTls.Explicit, "502 No.\r\n", "it answered AUTH TLS with 502")]
    [InlineData(UpstreamTls.Explicit, "234 Go.\r\n230 You are in.\r\n", "it sent bytes in clear behind its 234")]
    [InlineData(UpstreamTls.Explicit, "234 Go.\r\n", "TLS failed (the peer closed the connection during the handshake)")]
    public async Task Broken_TLS_fails(UpstreamTls mode, string answer, string failure)
    {
        await using var rig = new ProbeRig(async c =>
        {
            if (mode == UpstreamTls.Explicit)
            {
                await c.SendAsync("220 scripted");
                await c.ExpectAsync("AUTH TLS");
            }
            await c.Wire.SendRawAsync(answer);
            if (answer.StartsWith('5'))
                await c.AnswerAsync("AUTH SSL", "502 No.");
            c.Wire.ShutdownSend();
            await ProbeRig.PartAsync(c);
        })
        { Tls = mode };

        Assert.Equal(failure, (await rig.RunAsync()).Failure);
    }

    [Fact]
    public async Task A_handshake_that_stands_still_is_given_up_when_the_time_is_over()
    {
        await using var rig = new ProbeRig(static async c =>
        {
            await c.SendAsync("220 scripted");
            await c.AnswerAsync("AUTH TLS", "234 Go.");
            try
            {
                while (await c.Wire.Socket.ReceiveAsync(new byte[1024], System.Net.Sockets.SocketFlags.None) > 0)
                {
                }
            }
            catch (System.Net.Sockets.SocketException)
            {
            }
        })
        { Tls = UpstreamTls.Explicit };

        Assert.Equal("no TLS handshake within 5 s", (await rig.RunOutAsync()).Failure);
    }
}
