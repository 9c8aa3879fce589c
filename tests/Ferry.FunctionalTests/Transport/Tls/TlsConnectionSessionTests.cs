using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsConnectionSessionTests : IDisposable
{
    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    public static TheoryData<TlsProtocols, bool> Kinds => new()
    {
        { TlsProtocols.Tls13, true },
        { TlsProtocols.Tls13, false },
        { TlsProtocols.Tls12, true },
        { TlsProtocols.Tls12, false },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_data_connection_resumes_its_control_connection_again_and_again(TlsProtocols protocol, bool tickets)
    {
        var (client, server) = Contexts(protocol, tickets);
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        await control.TakeTicketsAsync();
        for (var i = 0; i < 3; i++)
        {
            using var session = control.Client.GetSession();
            using var data = await TlsConnectionPair.ShakenAsync(client, server, isData: true, session, control.Server.Origin, tickets: i);
            Assert.True(data.Client.Info!.IsResumed);
            Assert.True(data.Server.Resumes(control.Server.Origin!));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_data_connection_that_resumes_another_control_connection_is_told_apart(TlsProtocols protocol, bool tickets)
    {
        var (client, server) = Contexts(protocol, tickets);
        using var victim = await TlsConnectionPair.ShakenAsync(client, server);
        using var thief = await TlsConnectionPair.ShakenAsync(client, server);
        await thief.TakeTicketsAsync();
        for (var i = 0; i < 3; i++)
        {
            using var session = thief.Client.GetSession();
            using var data = await TlsConnectionPair.ShakenAsync(client, server, isData: true, session, victim.Server.Origin, tickets: i);
            Assert.True(data.Server.Info!.IsResumed);
            Assert.False(data.Server.Resumes(victim.Server.Origin!));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_data_connection_with_a_session_of_its_own_resumes_nothing(TlsProtocols protocol, bool tickets)
    {
        var (client, server) = Contexts(protocol, tickets);
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        using var data = await TlsConnectionPair.ShakenAsync(client, server, isData: true, resume: null, control.Server.Origin);

        Assert.False(data.Server.Info!.IsResumed);
        Assert.False(data.Server.Resumes(control.Server.Origin!));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_control_connection_that_resumes_another_has_data_connections_of_its_own(TlsProtocols protocol, bool tickets)
    {
        var (client, server) = Contexts(protocol, tickets);
        using var first = await TlsConnectionPair.ShakenAsync(client, server);
        await first.TakeTicketsAsync();
        using var old = first.Client.GetSession();
        using var second = await TlsConnectionPair.ShakenAsync(client, server, resume: old);
        await second.TakeTicketsAsync();
        Assert.True(second.Server.Info!.IsResumed);

        using var session = second.Client.GetSession();
        using var data = await TlsConnectionPair.ShakenAsync(client, server, isData: true, session, second.Server.Origin);
        Assert.True(data.Server.Resumes(second.Server.Origin!));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_session_survives_data_connections_that_end_badly(TlsProtocols protocol, bool tickets)
    {
        var (client, server) = Contexts(protocol, tickets);
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        await control.TakeTicketsAsync();
        for (var i = 0; i < 6; i++)
        {
            using var session = control.Client.GetSession();
            using var data = await TlsConnectionPair.ShakenAsync(client, server, isData: true, session, control.Server.Origin);
            Assert.True(data.Server.Resumes(control.Server.Origin!), $"attempt {i}");
            var (from, fromSocket, to, toSocket) = i % 2 == 0
                ? (data.Client, data.ClientSocket, data.Server, data.ServerSocket)
                : (data.Server, data.ServerSocket, data.Client, data.ClientSocket);
            switch (i / 2)
            {
                case 0: // cut off
                    Assert.True(await from.EndSendAsync(notify: false));
                    Assert.Equal(TlsReadStatus.Truncated, (await TlsConnectionPair.ReadToEndAsync(to, toSocket)).End);
                    break;
                case 1: // reset
                    fromSocket.LingerState = new(true, 0);
                    fromSocket.Close();
                    Assert.Equal(TlsReadStatus.Failed, (await TlsConnectionPair.ReadToEndAsync(to, toSocket)).End);
                    break;
                default: // left, as a client does that has seen enough
                    from.Dispose();
                    fromSocket.DisposeWithConnection();
                    break;
            }
        }
    }

    [Theory]
    [InlineData(TlsProtocols.Tls13)]
    [InlineData(TlsProtocols.Tls12)]
    public async Task A_control_connection_that_is_cut_off_has_still_its_session(TlsProtocols protocol)
    {
        var (client, server) = Contexts(protocol, tickets: true);
        using var control = await TlsConnectionPair.ShakenAsync(client, server);
        await control.TakeTicketsAsync();
        Assert.True(await control.Server.EndSendAsync(notify: false));
        Assert.Equal(TlsReadStatus.Truncated, (await TlsConnectionPair.ReadToEndAsync(control.Client, control.ClientSocket)).End);

        using var session = control.Client.GetSession();
        using var data = await TlsConnectionPair.ShakenAsync(client, server, isData: true, session, control.Server.Origin);
        Assert.True(data.Server.Resumes(control.Server.Origin!));
    }

    [Fact]
    public async Task There_is_no_session_before_the_handshake_nor_after_the_end()
    {
        var (client, server) = Contexts(TlsProtocols.Tls13, tickets: true);
        using var pair = TlsConnectionPair.Create(client, server);
        Assert.Null(pair.Client.GetSession());
        await pair.ShakeHandsAsync();
        using (var session = pair.Client.GetSession())
            Assert.NotNull(session);
        pair.Client.Dispose();
        Assert.Null(pair.Client.GetSession());
    }

    private (TlsContext Client, TlsContext Server) Contexts(TlsProtocols protocol, bool tickets) =>
        (_made.Client(c => c with { Protocols = protocol }), _made.Server(c => c with { Protocols = protocol, SessionTickets = tickets }));
}
