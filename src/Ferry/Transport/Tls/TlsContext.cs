using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>What all TLS connections of one server block share towards one side: an SSL_CTX. Certificates and keys are in memory; nothing is read again.</summary>
internal sealed partial class TlsContext : IDisposable
{
    private TlsContext(SafeSslContextHandle handle, bool isServer, DateTimeOffset? expires, TimeProvider time)
    {
        Handle = handle;
        Remembered = new RememberedSessions(time);
        IsServer = isServer;
        Expires = expires;
    }

    public SafeSslContextHandle Handle { get; }

    /// <summary>Towards clients; else towards servers.</summary>
    public bool IsServer { get; }

    /// <summary>When the first of its certificates expires; null without one.</summary>
    public DateTimeOffset? Expires { get; }

    /// <summary>What connections to servers may resume.</summary>
    public RememberedSessions Remembered { get; }

    /// <summary>A context towards clients.</summary>
    /// <param name="config">What was configured.</param>
    /// <param name="name">Of the server block; a session is resumed under the same name only.</param>
    /// <param name="findings">Gets everything that stands against it, and what should be known.</param>
    /// <param name="time">Judges whether certificates are valid; null: the system's.</param>
    /// <returns>Null where an error was found.</returns>
    public static TlsContext? TryCreate(ClientTlsConfig config, string name, List<ConfigDiagnostic> findings, TimeProvider? time = null) =>
        Create(true, findings, time, b => b.Apply(config, name));

    /// <summary>A context towards servers.</summary>
    /// <param name="config">What was configured.</param>
    /// <param name="findings">Gets everything that stands against it, and what should be known.</param>
    /// <param name="time">Judges whether certificates are valid; null: the system's.</param>
    /// <returns>Null where an error was found.</returns>
    public static TlsContext? TryCreate(UpstreamTlsConfig config, List<ConfigDiagnostic> findings, TimeProvider? time = null) =>
        Create(false, findings, time, b => b.Apply(config));

    public void Dispose()
    {
        Remembered.Dispose();
        Handle.Dispose();
    }

    private static TlsContext? Create(bool isServer, List<ConfigDiagnostic> findings, TimeProvider? time, Action<TlsContextBuilder> apply)
    {
        var found = new TlsFindings(findings);
        time ??= TimeProvider.System;
        try
        {
            OpenSsl.ERR_clear_error();
            var handle = new SafeSslContextHandle(OpenSsl.SSL_CTX_new(isServer ? OpenSsl.TLS_server_method() : OpenSsl.TLS_client_method()));
            if (handle.IsInvalid)
            {
                found.Error(null, $"OpenSSL could not be set up: {OpenSsl.TakeErrors()}");
                return null;
            }
            using var builder = new TlsContextBuilder(handle, isServer, found, time.GetUtcNow());
            apply(builder);
            OpenSsl.ERR_clear_error();
            if (!found.HasErrors)
            {
                Attach(handle, builder.State);
                return new TlsContext(handle, isServer, builder.Expires, time);
            }
            builder.State.Certificates?.Dispose();
            handle.Dispose();
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            found.Error(null, $"TLS needs OpenSSL 3 ({OpenSsl.Ssl} and {OpenSsl.Crypto}), which this machine does not have");
        }
        return null;
    }
}
