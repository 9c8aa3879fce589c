using System.Globalization;
using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Upstreams;

/// <summary>Checks of servers that expect a header of the PROXY protocol: it says that they speak for nobody.</summary>
public sealed class HealthProbeHeaderTests
{
    private const string Line = "PROXY UNKNOWN\r\n";
    private const string Local = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

    [Theory]
    [InlineData(ProxyProtocolVersion.V1, UpstreamTls.Off, Line)]
    [InlineData(ProxyProtocolVersion.V1, UpstreamTls.Implicit, Line)]
    [InlineData(ProxyProtocolVersion.V2, UpstreamTls.Off, Local)]
    [InlineData(ProxyProtocolVersion.V2, UpstreamTls.Explicit, Local)]
    public async Task Both_connections_begin_with_one_before_TLS(ProxyProtocolVersion version, UpstreamTls tls, string header)
    {
        await using var rig = new ProbeRig(async c =>
        {
            Assert.Equal(header, (await ProxyHeader.ReadAsync(c.Wire.Socket)).Text);
            if (tls == UpstreamTls.Implicit)
                await c.StartTlsAsync();
            await c.SendAsync("220 scripted");
            if (tls == UpstreamTls.Explicit)
                await c.AnswerAuthAsync();
            await c.AnswerAsync("USER", "230 Logged in.");
            if (tls != UpstreamTls.Off)
                await c.AnswerProtAsync();
            await c.ExpectAsync("EPSV");
            var port = c.OpenDataPort();
            await c.SendAsync(port.EpsvReply);
            using var data = await c.AcceptAsync(port);
            Assert.Equal(header, (await ProxyHeader.ReadAsync(data.Socket)).Text);
            await c.AnswerAsync("LIST", "150 Here.");
            if (c.DataTls is not null)
                await data.AcceptTlsAsync(c.DataTls);
            await data.SendAsync(new byte[100]);
            await data.EndSendAsync();
            Assert.Empty((await data.ReceiveToEndAsync()).Bytes);
            await c.SendAsync("226 Done.");
            await ProbeRig.PartAsync(c);
        })
        { Check = new HealthCheckConfig { Type = HealthCheckType.List }, Tls = tls, Header = version };

        Assert.Null((await rig.RunAsync()).Failure);
        await rig.DoneAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_check_does_as_sessions_do_unless_it_has_a_port_of_its_own(bool hasPort)
    {
        await using var server = ScriptedServer.Start(static async c =>
        {
            await c.SendAsync("220 scripted");
            while (await c.ReadLineAsync() is { } line)
            {
                if (line == "QUIT")
                    break;
            }
        });
        var port = hasPort ? string.Create(CultureInfo.InvariantCulture, $"port={server.Port}") : "";
        await using var proxy = await TestProxy.BeforeAsync(server.EndPoint, directives: $"proxy_protocol on; health_check {port};");
        await server.ConnectedAsync();
        await Wait.Until(() => server.Connections[0].Lines.Contains("QUIT"), "a check to pass");
        string[] expected = hasPort ? ["QUIT"] : ["PROXY UNKNOWN", "QUIT"];
        Assert.Equal(expected, server.Connections[0].Lines);
    }
}
