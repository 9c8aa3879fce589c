using System.Linq;
using System.Net;
using Ferry.Config;
using Ferry.Tests;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class RememberedSessionsTests : IDisposable
{
    private static readonly IPEndPoint Server = new(IPAddress.Loopback, 990);

    private readonly TlsContexts _made = new();
    private readonly ManualTimeProvider _clock = new();
    private readonly RememberedSessions _sessions;

    public RememberedSessionsTests() => _sessions = new RememberedSessions(_clock);

    public void Dispose()
    {
        _sessions.Dispose();
        _made.Dispose();
    }

    [Fact]
    public async Task A_session_is_found_for_its_server_and_name_only_and_again_and_again()
    {
        using var session = await NewAsync();
        _sessions.Keep(Server, new TlsPeerName("ftp.example", null), session, isResumed: false);

        for (var i = 0; i < 3; i++)
        {
            using var found = _sessions.Find(Server, new TlsPeerName("ftp.example", null));
            Assert.True(found!.IsResumable);
        }
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
        Assert.Null(_sessions.Find(Server, new TlsPeerName("other.example", null)));
        Assert.Null(_sessions.Find(new IPEndPoint(IPAddress.Loopback, 991), new TlsPeerName("ftp.example", null)));
    }

    [Theory]
    [InlineData(TlsSessionReuse.Off, TlsProtocols.Tls13)]
    [InlineData(TlsSessionReuse.Optional, TlsProtocols.Tls12)]
    public async Task What_cannot_be_resumed_or_not_by_others_is_not_kept(TlsSessionReuse reuse, TlsProtocols protocol)
    {
        using var session = await NewAsync(c => c with { SessionReuse = reuse, Protocols = protocol });
        Assert.Equal(reuse != TlsSessionReuse.Off, session.IsResumable);

        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed: false);

        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
    }

    [Fact]
    public async Task After_one_failure_the_next_begins_anew_and_after_two_in_a_row_all_do()
    {
        using var session = await NewAsync();
        Assert.False(FailAfter(session, isResumed: false));
        Assert.False(FailAfter(session, isResumed: true)); // forgives the one before
        Assert.True(FailAfter(session, isResumed: false));

        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed: false);
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
        Assert.False(_sessions.Fail(Server, TlsPeerName.Any)); // no news
    }

    [Fact]
    public async Task A_full_handshake_is_due_once_a_day_however_many_have_resumed_since()
    {
        using var session = await NewAsync();
        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed: false);
        _clock.Advance(RememberedSessions.Longest - TimeSpan.FromSeconds(1));
        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed: true);
        using (var found = _sessions.Find(Server, TlsPeerName.Any))
            Assert.NotNull(found);

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));

        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed: false);
        using (var found = _sessions.Find(Server, TlsPeerName.Any))
            Assert.NotNull(found);
    }

    [Fact]
    public async Task A_session_whose_server_was_verified_nobody_knows_when_is_not_kept()
    {
        using var session = await NewAsync();
        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed: true);
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
    }

    [Fact]
    public async Task Servers_without_end_have_no_memory_without_end_and_the_last_ones_are_known()
    {
        using var session = await NewAsync();
        var servers = RememberedSessions.Most * 2 + 10;
        for (var port = 1; port <= servers; port++)
            _sessions.Keep(new IPEndPoint(IPAddress.Loopback, port), TlsPeerName.Any, session, isResumed: false);

        var known = new List<int>();
        for (var port = 1; port <= servers; port++)
        {
            using var found = _sessions.Find(new IPEndPoint(IPAddress.Loopback, port), TlsPeerName.Any);
            if (found is not null)
                known.Add(port);
        }
        Assert.Equal(Enumerable.Range(RememberedSessions.Most * 2 + 1, 10), known);
    }

    private bool FailAfter(TlsSession session, bool isResumed)
    {
        _sessions.Keep(Server, TlsPeerName.Any, session, isResumed);
        var isLast = _sessions.Fail(Server, TlsPeerName.Any);
        Assert.Null(_sessions.Find(Server, TlsPeerName.Any));
        return isLast;
    }

    private async Task<TlsSession> NewAsync(Func<ClientTlsConfig, ClientTlsConfig>? with = null)
    {
        using var pair = await TlsConnectionPair.ShakenAsync(_made.Client(), _made.Server(with));
        if (pair.Client.Info!.Protocol == "TLSv1.3")
            await pair.TakeTicketsAsync();
        return pair.Client.GetSession()!;
    }
}
