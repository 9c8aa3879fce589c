using System.Net;
using Ferry.Config;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class RememberedSessionsTests : IDisposable
{
    private static readonly IPEndPoint Server = new(IPAddress.Loopback, 990);

    private readonly TlsContexts _made = new();
    private readonly RememberedSessions _sessions = new();

    public void Dispose() => _made.Dispose();

    [Fact]
    public async Task A_session_is_found_for_its_server_and_name_only_and_again_and_again()
    {
        using var session = await NewAsync();
        _sessions.Keep(Server, new TlsPeerName("ftp.example", null), session);

        for (var i = 0; i < 3; i++)
        {
            using var found = _sessions.Find(Server, new TlsPeerName("ftp.example", null));
            Assert.True(found!.IsResumable);
        }
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
        Assert.Null(_sessions.Find(Server, new TlsPeerName("other.example", null)));
        Assert.Null(_sessions.Find(new IPEndPoint(IPAddress.Loopback, 991), new TlsPeerName("ftp.example", null)));
    }

    [Fact]
    public async Task What_cannot_be_resumed_is_not_kept()
    {
        using var session = await NewAsync(static c => c with { SessionReuse = TlsSessionReuse.Off });
        Assert.False(session.IsResumable);

        _sessions.Keep(Server, TlsPeerName.Any, session);

        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
    }

    [Fact]
    public async Task A_server_that_is_not_trusted_has_none_any_more_and_that_is_news_once()
    {
        using var session = await NewAsync();
        Assert.False(_sessions.Distrust(Server, TlsPeerName.Any));
        _sessions.Keep(Server, TlsPeerName.Any, session);

        Assert.True(_sessions.Distrust(Server, TlsPeerName.Any));
        Assert.False(_sessions.Distrust(Server, TlsPeerName.Any));

        _sessions.Keep(Server, TlsPeerName.Any, session);
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
    }

    [Fact]
    public async Task Servers_without_end_have_no_memory_without_end()
    {
        using var session = await NewAsync();
        for (var port = 1; port <= RememberedSessions.Most * 2; port++)
            _sessions.Keep(new IPEndPoint(IPAddress.Loopback, port), TlsPeerName.Any, session);

        var known = 0;
        for (var port = 1; port <= RememberedSessions.Most * 2; port++)
        {
            using var found = _sessions.Find(new IPEndPoint(IPAddress.Loopback, port), TlsPeerName.Any);
            known += found is null ? 0 : 1;
        }
        Assert.Equal(RememberedSessions.Most, known);
        using var last = _sessions.Find(new IPEndPoint(IPAddress.Loopback, RememberedSessions.Most * 2), TlsPeerName.Any);
        Assert.NotNull(last);
    }

    private async Task<TlsSession> NewAsync(Func<ClientTlsConfig, ClientTlsConfig>? with = null)
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(), _made.Server(with));
        if (with is null)
            await pair.TakeTicketsAsync();
        return pair.Client.GetSession()!;
    }
}
