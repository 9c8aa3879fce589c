using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Ferry.Config;

namespace Ferry.Transport.Tls;

// Sessions that go on.
internal sealed partial class TlsContextBuilder
{
    /// <summary>Clients without tickets are few, and each needs the session of its control connection only.</summary>
    private const int CachedSessionsBesideTickets = 4096;

    /// <summary>As OpenSSL's own default, about 20 MiB when full.</summary>
    private const int CachedSessionsInsteadOfTickets = 20 * 1024;

    /// <summary>What the callbacks of the context know.</summary>
    public TlsContextState State { get; } = new();

    private unsafe void SetSessions(ClientTlsConfig config, string name)
    {
        _identity.AppendData(Encoding.UTF8.GetBytes(name));
        _identity.AppendData([(byte)config.VerifyClient]);
        fixed (byte* identity = _identity.GetHashAndReset())
            _ = OpenSsl.SSL_CTX_set_session_id_context(_context, identity, SHA256.HashSizeInBytes);
        LoadTicketKeys(config.TicketKeyFiles);
        if (config.SessionReuse == TlsSessionReuse.Off)
        {
            _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_MODE, OpenSsl.SSL_SESS_CACHE_OFF, 0);
            _ = OpenSsl.SSL_CTX_set_options(_context, OpenSsl.SSL_OP_NO_TICKET);
            _ = OpenSsl.SSL_CTX_set_num_tickets(_context, 0);
            return;
        }
        // Every data connection brings the client another one. Where it must resume, it has one to lose with a connection that fails.
        _ = OpenSsl.SSL_CTX_set_num_tickets(_context, config.SessionReuse == TlsSessionReuse.Required ? 2u : 1u);
        _ = OpenSsl.SSL_CTX_set_timeout(_context, (nint)config.SessionTimeout.TotalSeconds);
        _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_MODE, OpenSsl.SSL_SESS_CACHE_SERVER, 0);
        var cached = config.SessionTickets ? CachedSessionsBesideTickets : CachedSessionsInsteadOfTickets;
        _ = OpenSsl.SSL_CTX_ctrl(_context, OpenSsl.SSL_CTRL_SET_SESS_CACHE_SIZE, cached, 0);
        if (!config.SessionTickets)
            _ = OpenSsl.SSL_CTX_set_options(_context, OpenSsl.SSL_OP_NO_TICKET);
        TlsContext.MarkSessions(_context);
    }

    private void LoadTicketKeys(ImmutableArray<PlacedText> files)
    {
        if (files.IsDefaultOrEmpty)
            return;
        var keys = ImmutableArray.CreateBuilder<TicketKey>(files.Length);
        foreach (var file in files)
        {
            if (TicketKey.TryLoad(file, _findings) is { } key)
                keys.Add(key);
        }
        if (keys.Count == files.Length)
            State.TicketKeys = keys.ToImmutable();
    }

    [UnmanagedCallersOnly]
    private static int AcceptWhateverComesOut(int isGood, nint store) => 1;
}
