using Ferry.Config;

namespace Ferry.FunctionalTests.Relay;

/// <summary>Which relay and which kinds of legs a test runs; each test runs with every one.</summary>
public enum RelayKind
{
    Splice,
    Stream,

    /// <summary>The splicing one on a machine that has no pipe for it.</summary>
    SpliceWithoutPipes,

    /// <summary>The client's leg in TLS 1.2, the server's plain.</summary>
    TlsClient12,
    TlsClient13,

    /// <summary>The server's leg in TLS 1.2, the client's plain.</summary>
    TlsUpstream12,
    TlsUpstream13,

    /// <summary>Both legs in TLS 1.2.</summary>
    Tls12,
    Tls13,
}

internal static class RelayKinds
{
    public static bool IsTls(this RelayKind kind) => kind >= RelayKind.TlsClient12;

    public static bool IsClientTls(this RelayKind kind) => kind is RelayKind.TlsClient12 or RelayKind.TlsClient13 or RelayKind.Tls12 or RelayKind.Tls13;

    public static bool IsUpstreamTls(this RelayKind kind) => kind is RelayKind.TlsUpstream12 or RelayKind.TlsUpstream13 or RelayKind.Tls12 or RelayKind.Tls13;

    public static TlsProtocols Protocol(this RelayKind kind) =>
        kind is RelayKind.TlsClient12 or RelayKind.TlsUpstream12 or RelayKind.Tls12 ? TlsProtocols.Tls12 : TlsProtocols.Tls13;
}
