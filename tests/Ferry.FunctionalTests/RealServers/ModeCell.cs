using System.Net;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>Where data is in TLS.</summary>
internal enum ModeTls
{
    /// <summary>Nowhere, and neither are commands.</summary>
    Plain,
    Both,

    /// <summary>Commands are in TLS on both sides, data on this one only.</summary>
    Client,

    /// <summary>Commands are in TLS on both sides, data on this one only.</summary>
    Server,
}

/// <summary>One way of a client's data to a server through Ferry.</summary>
/// <param name="Server">The server.</param>
/// <param name="Verb">What the client asks.</param>
/// <param name="Mode">proxy_ftp_data.</param>
/// <param name="Tls">Where data is in TLS.</param>
/// <param name="ClientV6">The client comes over IPv6.</param>
/// <param name="ServerV6">Ferry goes to the server over IPv6.</param>
internal sealed record ModeCell(ServerKind Server, DataVerb Verb, UpstreamDataMode Mode, ModeTls Tls, bool ClientV6, bool ServerV6)
{
    /// <summary>What the cell has of each dimension, as a number below 8.</summary>
    public int[] Values => [(int)Verb, (int)Mode, (int)Tls, ClientV6 ? 1 : 0, ServerV6 ? 1 : 0];

    /// <summary>PASV and PORT have no room for an IPv6 address.</summary>
    public bool IsRefused => IsClientRefused || IsServerRefused;

    public bool IsClientRefused => ClientV6 && Verb is DataVerb.Pasv or DataVerb.Port;

    public bool IsServerRefused => ServerV6 && Mode is UpstreamDataMode.Pasv or UpstreamDataMode.Port;

    /// <summary>What the server is asked.</summary>
    public DataVerb Asked
    {
        get
        {
            var active = Verb is DataVerb.Port or DataVerb.Eprt;
            var asked = Mode switch
            {
                UpstreamDataMode.Pasv => DataVerb.Pasv,
                UpstreamDataMode.Epsv => DataVerb.Epsv,
                UpstreamDataMode.Port => DataVerb.Port,
                UpstreamDataMode.Eprt => DataVerb.Eprt,
                UpstreamDataMode.Passive when active => DataVerb.Pasv,
                UpstreamDataMode.Active when !active => DataVerb.Port,
                _ => Verb,
            };
            return (asked, ServerV6) switch
            {
                (DataVerb.Pasv, true) => DataVerb.Epsv,
                (DataVerb.Port, true) => DataVerb.Eprt,
                _ => asked,
            };
        }
    }

    /// <summary>What tells the listener of one cell from that of another.</summary>
    public (UpstreamDataMode Mode, ModeTls Tls, bool ServerV6) Listener => (Mode, Tls == ModeTls.Plain ? ModeTls.Both : Tls, ServerV6);

    public IPAddress ClientAddress => ClientV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;

    public override string ToString() =>
        $"{Verb.ToString().ToUpperInvariant()} over {Family(ClientV6)} -> proxy_ftp_data {Mode.ToString().ToLowerInvariant()}, {Server} over {Family(ServerV6)}, TLS {Tls}";

    private static string Family(bool v6) => v6 ? "IPv6" : "IPv4";
}
