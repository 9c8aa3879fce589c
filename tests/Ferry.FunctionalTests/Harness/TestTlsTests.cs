using System.Security.Authentication;
using System.Security.Cryptography;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The scripted client and server with each other, and no Ferry between them: what they tell of TLS is what happens.</summary>
public sealed class TestTlsTests
{
    public static TheoryData<TlsVersion> Versions => [TlsVersion.Tls12, TlsVersion.Tls13];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task An_explicit_session_carries_files_both_ways(TlsVersion version)
    {
        var bytes = RandomNumberGenerator.GetBytes(100_001);
        DataReceived? stored = null;
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.SendAsync("220 scripted");
            await c.AnswerAuthAsync();
            await c.AnswerAsync("USER", "331 Password please.");
            await c.AnswerAsync("PASS", "230 Logged in.");
            await c.AnswerProtAsync();
            await c.ServeRetrAsync(await c.AnswerPasvAsync(), bytes);
            stored = await c.ServeStorAsync(await c.AnswerPasvAsync());
            await c.AnswerQuitAsync();
        });
        using var client = await ScriptedClient.LogInTlsAsync(server.EndPoint, new TlsEnd { Version = version });

        Assert.Equal(version == TlsVersion.Tls12 ? SslProtocols.Tls12 : SslProtocols.Tls13, client.Wire.Tls!.Stream.SslProtocol);
        Assert.Equal(bytes, await client.DownloadAsync("file"));
        await client.UploadAsync("file", bytes);
        await client.QuitAsync();
        await server.DoneAsync();
        Assert.Equal(bytes, stored!.Bytes);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task The_three_ends_of_a_data_connection_are_told_apart(TlsVersion version)
    {
        foreach (var (end, expected) in ((Func<DataEnd, Task>, DataEnding)[])
            [
                (d => d.EndSendAsync(), DataEnding.Closed),
                (d => { d.ShutdownSend(); return Task.CompletedTask; }, DataEnding.Truncated),
                (d => { d.Reset(); return Task.CompletedTask; }, DataEnding.Reset),
            ])
        {
            using var port = new DataPort(System.Net.IPAddress.Loopback);
            using var client = await DataEnd.ConnectAsync(port.EndPoint);
            using var server = await port.AcceptAsync();
            await Task.WhenAll(client.StartTlsAsync(new TlsEnd { Version = version }), server.AcceptTlsAsync(TlsEnd.Server));
            await client.SendAsync("half"u8.ToArray());
            Assert.Equal("half"u8.ToArray(), await server.ReceiveAsync(4));
            await end(client);
            Assert.Equal(expected, (await server.ReceiveToEndAsync()).Ending);
        }
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Clear_text_behind_the_end_of_TLS_is_not_lost(TlsVersion version)
    {
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.StartTlsAsync();
            await c.SendAsync("220 inside");
            await c.ExpectAsync("CCC");
            await c.SendAsync("200 Clear from here.");
            await c.Wire.StopTlsAsync();
            await c.SendAsync("200 outside");
            await c.AnswerQuitAsync();
        });
        using var client = await ScriptedClient.ConnectAsync(server.EndPoint);
        await client.StartTlsAsync(new TlsEnd { Version = version });
        await client.ExpectAsync(220);
        await client.CommandAsync("CCC", 200);
        await client.Wire.StopTlsAsync();
        Assert.Equal("200 outside", (await client.ReadReplyAsync()).Text);
        await client.QuitAsync();
        await server.DoneAsync();
    }

    [Fact]
    public async Task A_client_shows_its_certificate_to_a_server_that_asks()
    {
        using var authority = new TestAuthority();
        using var own = authority.IssueClient("somebody");
        string? subject = null;
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.StartTlsAsync(TlsEnd.Server with { AskForCertificate = true });
            subject = c.Wire.Tls!.Stream.RemoteCertificate?.Subject;
            await c.SendAsync("220 inside");
        });
        using var client = await ScriptedClient.ConnectAsync(server.EndPoint);
        await client.StartTlsAsync(new TlsEnd { Certificate = own });
        await client.ExpectAsync(220);
        Assert.Equal("CN=somebody", subject);
    }
}
