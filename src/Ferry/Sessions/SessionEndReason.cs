namespace Ferry.Sessions;

/// <summary>Why a session ended. The first reason wins.</summary>
public enum SessionEndReason
{
    /// <summary>The client said QUIT and the server answered.</summary>
    ClientQuit,

    /// <summary>The client closed its control connection in order, without QUIT.</summary>
    ClientClosed,

    /// <summary>The client's control connection was reset or failed.</summary>
    ClientFailed,

    /// <summary>The server closed the control connection in order; a server's own time-out looks like this.</summary>
    UpstreamClosed,

    /// <summary>The server's control connection was reset or failed.</summary>
    UpstreamFailed,

    /// <summary>No server could be reached or greeted as an FTP server does; the client was told 421.</summary>
    NoUpstream,

    /// <summary>The client was not logged in within <c>ftp_login_timeout</c>; it was told 421.</summary>
    LoginTimeout,

    /// <summary>Logins were refused again and again, where the server is chosen by user; the client was told 421.</summary>
    LoginRefused,

    /// <summary>Nothing was said for <c>proxy_timeout</c> while no data flowed; the client was told 421.</summary>
    IdleTimeout,

    /// <summary>The server broke the protocol beyond repair.</summary>
    UpstreamProtocolError,

    /// <summary>TLS with the client did not come about, or its certificate was not accepted.</summary>
    ClientTlsFailed,

    /// <summary>TLS with the server did not come about after the client had seen its greeting; the client was told 421.</summary>
    UpstreamTlsFailed,

    /// <summary>Bytes in clear came with AUTH or behind its 234: an attempt to smuggle them into the protected session.</summary>
    TlsInjection,

    /// <summary>Ferry drained (SIGQUIT); the session was idle or its transfer had finished, and the client was told 421.</summary>
    Drained,

    /// <summary>Ferry stopped (SIGTERM).</summary>
    Stopped,

    /// <summary>A fault of Ferry's own, told in the error log.</summary>
    InternalError,
}

internal static class SessionEndReasons
{
    /// <summary>The reason's name in logs and metrics, which is a contract.</summary>
    public static string Tag(SessionEndReason reason) => reason switch
    {
        SessionEndReason.ClientQuit => "client_quit",
        SessionEndReason.ClientClosed => "client_closed",
        SessionEndReason.ClientFailed => "client_failed",
        SessionEndReason.UpstreamClosed => "upstream_closed",
        SessionEndReason.UpstreamFailed => "upstream_failed",
        SessionEndReason.NoUpstream => "no_upstream",
        SessionEndReason.LoginTimeout => "login_timeout",
        SessionEndReason.LoginRefused => "login_refused",
        SessionEndReason.IdleTimeout => "idle_timeout",
        SessionEndReason.UpstreamProtocolError => "upstream_protocol_error",
        SessionEndReason.ClientTlsFailed => "client_tls_failed",
        SessionEndReason.UpstreamTlsFailed => "upstream_tls_failed",
        SessionEndReason.TlsInjection => "tls_injection",
        SessionEndReason.Drained => "drained",
        SessionEndReason.Stopped => "stopped",
        SessionEndReason.InternalError => "internal_error",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>The status that nginx's stream logs have for such an end.</summary>
    public static int Status(SessionEndReason reason) => reason switch
    {
        SessionEndReason.NoUpstream or SessionEndReason.UpstreamFailed or SessionEndReason.UpstreamProtocolError
            or SessionEndReason.UpstreamTlsFailed => 502,
        SessionEndReason.InternalError => 500,
        _ => 200,
    };
}
