using System.Linq;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>A server and how it speaks TLS, as one name of a test.</summary>
public enum TlsServer
{
    VsftpdPlain,
    VsftpdExplicit,
    VsftpdExplicitAnySession,
    VsftpdImplicit,
    VsftpdImplicitAnySession,
    ProFtpdPlain,
    ProFtpdExplicit,
    ProFtpdExplicitAnySession,
    ProFtpdImplicit,
    ProFtpdImplicitAnySession,
    PureFtpdPlain,
    PureFtpdExplicit,
    PyftpdlibPlain,
    PyftpdlibExplicit,
    PyftpdlibImplicit,
}

/// <summary>What the names of servers say. "AnySession": data connections need not resume the control's session, which is no default but with pure-ftpd and pyftpdlib.</summary>
internal static class TlsServerNames
{
    public static IEnumerable<TlsServer> All => Enum.GetValues<TlsServer>();

    public static bool IsPlain(this TlsServer server) => Has(server, "Plain");

    public static bool IsImplicit(this TlsServer server) => Has(server, "Implicit");

    public static bool IsExplicit(this TlsServer server) => Has(server, "Explicit");

    /// <summary>A data connection with a session of its own is refused.</summary>
    public static bool RequiresReuse(this TlsServer server) => !server.IsPlain() && !Has(server, "AnySession") && server.Kind() is ServerKind.Vsftpd or ServerKind.ProFtpd;

    public static ServerKind Kind(this TlsServer server) => Enum.GetValues<ServerKind>().Single(k => server.ToString().StartsWith(k.ToString(), StringComparison.Ordinal));

    public static RealServerTls? Tls(this TlsServer server) =>
        server.IsPlain() ? null : new RealServerTls { Implicit = server.IsImplicit(), ReuseRequired = !Has(server, "AnySession") };

    private static bool Has(TlsServer server, string word) => server.ToString().Contains(word, StringComparison.Ordinal);
}
