using System.Security.Cryptography;
using Ferry.Config;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsContextSessionTests : IDisposable
{
    private const ulong First = 0x1122334455667788;
    private const ulong Second = 0xfedcba9876543210;

    private readonly TlsContexts _made = new();
    private readonly List<nint> _sessions = [];

    public void Dispose()
    {
        _sessions.ForEach(SslEnd.SSL_SESSION_free);
        _made.Dispose();
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public void A_data_connection_resumes_and_its_ticket_says_whose(TlsProtocols protocol)
    {
        var server = _made.Server();
        var client = Client(protocol);
        var control = Control(client, server, First);
        var (c, s) = Data(client, server, First, SessionOf(control.Client));
        Assert.Null(c.Failure ?? s.Failure);
        Assert.False(control.Server.IsResumed);
        Assert.True(s.IsResumed);
        Assert.Equal(First, s.TicketOwner);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public void A_session_may_be_resumed_by_any_number_of_data_connections(TlsProtocols protocol)
    {
        var server = _made.Server();
        var client = Client(protocol);
        var session = SessionOf(Control(client, server, First).Client);

        for (var i = 0; i < 5; i++)
        {
            var (_, s) = Data(client, server, First, session, tickets: 0);
            Assert.True(s.IsResumed);
            Assert.Equal(First, s.TicketOwner);
        }
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public void A_control_connection_that_resumes_gets_a_ticket_of_its_own(TlsProtocols protocol)
    {
        var server = _made.Server();
        var client = Client(protocol);
        var old = Control(client, server, First);

        var control = Control(client, server, Second, SessionOf(old.Client));
        var data = Data(client, server, Second, SessionOf(control.Client));

        Assert.True(control.Server.IsResumed);
        Assert.True(data.Server.IsResumed);
        Assert.Equal(Second, data.Server.TicketOwner);
    }

    [Fact]
    public void A_ticket_of_another_control_connection_tells_on_itself()
    {
        var server = _made.Server();
        var client = Client(TlsProtocols.Tls13);
        var other = Control(client, server, Second);

        var (_, s) = Data(client, server, First, SessionOf(other.Client), tickets: 0);

        Assert.True(s.IsResumed);
        Assert.Equal(Second, s.TicketOwner);
    }

    [Theory]
    [InlineData(-1, false, 1)]
    [InlineData(-1, true, 2)]
    [InlineData(0, false, 0)]
    [InlineData(2, false, 2)]
    public void New_sessions_of_TLS_1_3_are_sent_as_many_tickets_as_they_were_told(int told, bool required, int sent)
    {
        var server = _made.Server(x => required ? x with { SessionReuse = TlsSessionReuse.Required } : x);
        Assert.Equal(sent, _made.Meet(Client(TlsProtocols.Tls13), server, new Meeting { ServerTickets = told }).Client.Tickets);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    public void Resumed_data_connections_of_TLS_1_3_are_sent_one_ticket_or_none(int told, int sent)
    {
        var server = _made.Server();
        var client = Client(TlsProtocols.Tls13);
        var session = SessionOf(Control(client, server, First).Client);

        Assert.Equal(sent, Data(client, server, First, session, told).Client.Tickets);
    }

    [Fact]
    public void The_ticket_of_TLS_1_2_is_renewed_for_control_connections_only()
    {
        var server = _made.Server();
        var client = Client(TlsProtocols.Tls12);
        var first = Control(client, server, First);

        Assert.Equal(1, first.Client.Tickets);
        Assert.Equal(0, Data(client, server, First, SessionOf(first.Client)).Client.Tickets);
        Assert.Equal(1, Control(client, server, Second, SessionOf(first.Client)).Client.Tickets);
    }

    [Fact]
    public void A_session_of_TLS_1_2_that_has_passed_half_of_its_time_begins_no_new_control_connection()
    {
        var server = _made.Server(c => c with { SessionTimeout = TimeSpan.FromHours(1) });
        var client = Client(TlsProtocols.Tls12);
        var young = Aged(TimeSpan.FromMinutes(28));
        var old = Aged(TimeSpan.FromMinutes(32));

        Assert.True(Control(client, server, Second, young).Server.IsResumed);
        Assert.True(Data(client, server, First, old).Server.IsResumed);
        var control = Control(client, server, Second, old);
        Assert.False(control.Server.IsResumed);
        // It was given a new ticket, with a whole life.
        var data = Data(client, server, Second, SessionOf(control.Client));
        Assert.True(data.Server.IsResumed);
        Assert.Equal(Second, data.Server.TicketOwner);

        // A ticket says when its session began, as the server saw it.
        nint Aged(TimeSpan age) => SessionOf(_made.Meet(client, server, new Meeting { ControlId = First, SessionAge = age }).Client);
    }

    [Fact]
    public void A_session_lasts_as_long_as_configured()
    {
        var server = _made.Server(c => c with { SessionTimeout = TimeSpan.FromMinutes(7) });
        var client = Client(TlsProtocols.Tls12);

        var dead = SessionOf(_made.Meet(client, server, new Meeting { ControlId = First, SessionAge = TimeSpan.FromMinutes(8) }).Client);
        var alive = SessionOf(_made.Meet(client, server, new Meeting { ControlId = First, SessionAge = TimeSpan.FromMinutes(6) }).Client);

        Assert.False(Data(client, server, First, dead).Server.IsResumed);
        Assert.True(Data(client, server, First, alive).Server.IsResumed);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public void Nothing_is_resumed_where_reuse_is_off(TlsProtocols protocol)
    {
        var server = _made.Server(c => c with { SessionReuse = TlsSessionReuse.Off });
        var client = Client(protocol);
        var control = Control(client, server, First);

        Assert.Equal(0, protocol == TlsProtocols.Tls13 ? control.Client.Tickets : 0);
        Assert.False(Data(client, server, First, SessionOf(control.Client)).Server.IsResumed);
    }

    [Fact]
    public void A_client_without_tickets_resumes_by_the_id_of_its_session()
    {
        var server = _made.Server();
        var client = Client(TlsProtocols.Tls12);
        var control = _made.Meet(client, server, new Meeting { ControlId = First, ClientTakesTickets = false });

        var (_, s) = _made.Meet(client, server, new Meeting { ControlId = First, IsData = true, ClientTakesTickets = false, Resume = SessionOf(control.Client) });

        Assert.True(s.IsResumed);
        Assert.Null(s.TicketOwner);
        // The very entry of the cache: no other session is the same.
        Assert.Equal(OpenSsl.SSL_get_session(control.Server.Handle), OpenSsl.SSL_get_session(s.Handle));
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public void Without_tickets_the_server_keeps_the_sessions(TlsProtocols protocol)
    {
        var server = _made.Server(c => c with { SessionTickets = false });
        var client = Client(protocol);
        var control = Control(client, server, First);

        var (_, s) = Data(client, server, First, SessionOf(control.Client));

        Assert.True(s.IsResumed);
        Assert.False(HasTicketOfTheClient(control.Client));
        if (protocol == TlsProtocols.Tls13)
            Assert.Equal(First, s.TicketOwner);
    }

    [Fact]
    public void With_tickets_the_server_keeps_none()
    {
        var (c, _) = Control(Client(TlsProtocols.Tls12), _made.Server(), First);

        Assert.True(HasTicketOfTheClient(c));
    }

    [Theory]
    [InlineData(80, TlsProtocols.Tls12)]
    [InlineData(80, TlsProtocols.Tls13)]
    [InlineData(48, TlsProtocols.Tls12)]
    [InlineData(48, TlsProtocols.Tls13)]
    public void A_machine_with_the_same_key_takes_the_ticket_of_another(int size, TlsProtocols protocol)
    {
        var config = _made.ServerConfig() with { TicketKeyFiles = [Key("one", size)] };
        var client = Client(protocol);
        var here = _made.TryServer(config)!;
        var there = _made.TryServer(config)!;
        var stranger = _made.TryServer(config with { TicketKeyFiles = [Key("two", size)] })!;
        var session = SessionOf(Control(client, here, First).Client);

        var (_, s) = Control(client, there, Second, session);

        Assert.True(s.IsResumed);
        Assert.False(Control(client, stranger, Second, session).Server.IsResumed);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls12)]
    [InlineData(TlsProtocols.Tls13)]
    public void Keys_behind_the_first_open_tickets_but_write_none(TlsProtocols protocol)
    {
        var (old, fresh) = (Key("old", 80), Key("fresh", 48));
        var config = _made.ServerConfig();
        var client = Client(protocol);
        var before = _made.TryServer(config with { TicketKeyFiles = [old] })!;
        var both = _made.TryServer(config with { TicketKeyFiles = [fresh, old] })!;
        var after = _made.TryServer(config with { TicketKeyFiles = [fresh] })!;

        var renewed = Control(client, both, Second, SessionOf(Control(client, before, First).Client));

        Assert.True(renewed.Server.IsResumed);
        Assert.True(Control(client, after, Second, SessionOf(renewed.Client)).Server.IsResumed);
        Assert.False(Control(client, before, Second, SessionOf(renewed.Client)).Server.IsResumed);
    }

    [Fact]
    public void A_ticket_that_was_tampered_with_is_a_new_session()
    {
        var config = _made.ServerConfig();
        var client = Client(TlsProtocols.Tls12);
        var content = RandomNumberGenerator.GetBytes(80);
        var session = SessionOf(Control(client, WithKey(content), First).Client);
        content[20] ^= 1; // of the HMAC key: what the ticket says is no longer vouched for

        var (c, s) = Control(client, WithKey(content), Second, session);

        Assert.Null(c.Failure ?? s.Failure);
        Assert.False(s.IsResumed);

        TlsContext WithKey(byte[] key) => _made.TryServer(config with { TicketKeyFiles = [new PlacedText(_made.Folder.NewFile("key", key))] })!;
    }

    [Fact]
    public void A_ticket_key_of_another_size_is_an_error()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { TicketKeyFiles = [Key("short", 79)] }));

        Assert.Contains("must be of 80 or 48 bytes, and is of 79", Assert.Single(_made.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Sessions_are_not_shared_between_servers_of_other_names_or_certificates()
    {
        var config = _made.ServerConfig() with { TicketKeyFiles = [Key("one", 80)] };
        var client = Client(TlsProtocols.Tls13);
        var session = SessionOf(Control(client, _made.TryServer(config)!, First).Client);

        Assert.False(Control(client, _made.TryServer(config, name: "other")!, Second, session).Server.IsResumed);
        Assert.False(Control(client, _made.TryServer(_made.ServerConfig() with { TicketKeyFiles = config.TicketKeyFiles })!, Second, session).Server.IsResumed);
    }

    private TlsContext Client(TlsProtocols protocol) => _made.Client(c => c with { Protocols = protocol });

    private (SslEnd Client, SslEnd Server) Control(TlsContext client, TlsContext server, ulong id, nint resume = 0) =>
        _made.Meet(client, server, new Meeting { ControlId = id, Resume = resume });

    private (SslEnd Client, SslEnd Server) Data(TlsContext client, TlsContext server, ulong id, nint resume, int tickets = 1) =>
        _made.Meet(client, server, new Meeting { ControlId = id, IsData = true, Resume = resume, ServerTickets = tickets });

    private PlacedText Key(string name, int size) => new(_made.Folder.NewFile(name, RandomNumberGenerator.GetBytes(size)), TlsContexts.At(8));

    private nint SessionOf(SslEnd client)
    {
        var session = client.Session();
        _sessions.Add(session);
        return session;
    }

    // A ticket that says something is longer than the 32 bytes by which the server finds what it keeps itself.
    private bool HasTicketOfTheClient(SslEnd client) => SslEnd.TicketLength(SessionOf(client)) > 32;
}
