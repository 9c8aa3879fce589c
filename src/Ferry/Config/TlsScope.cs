using System.Linq;

namespace Ferry.Config;

/// <summary>What <c>stream</c> or one of its servers says of TLS, before it is handed down.</summary>
internal sealed class TlsScope
{
    private readonly Dictionary<string, List<ConfigNode>> _nodes = new(StringComparer.Ordinal);

    // Towards clients.
    public List<PlacedText> Certificates { get; } = [];
    public List<PlacedText> CertificateKeys { get; } = [];
    public List<PlacedText> TicketKeys { get; } = [];
    public List<TlsCommandConfig> Commands { get; } = [];
    public Setting<StartTls> StartTls { get; set; }
    public Setting<PlacedText?> PasswordFile { get; set; }
    public Setting<TlsProtocols> Protocols { get; set; }
    public Setting<PlacedText?> Ciphers { get; set; }
    public Setting<bool> PreferServerCiphers { get; set; }
    public Setting<PlacedText?> Curves { get; set; }
    public Setting<PlacedText?> DhParamFile { get; set; }
    public Setting<TimeSpan> SessionTimeout { get; set; }
    public Setting<bool> SessionTickets { get; set; }
    public Setting<TlsSessionReuse> SessionReuse { get; set; }
    public Setting<ClientVerification> VerifyClient { get; set; }
    public Setting<PlacedText?> ClientCertificateFile { get; set; }
    public Setting<PlacedText?> TrustedCertificateFile { get; set; }
    public Setting<PlacedText?> CrlFile { get; set; }
    public Setting<int> VerifyDepth { get; set; }
    public Setting<TimeSpan> HandshakeTimeout { get; set; }

    // Towards servers.
    public List<TlsCommandConfig> UpstreamCommands { get; } = [];
    public Setting<bool> UpstreamSsl { get; set; }
    public Setting<UpstreamTls> UpstreamStartTls { get; set; }
    public Setting<UpstreamProtection> UpstreamProtection { get; set; }
    public Setting<TlsProtocols> UpstreamProtocols { get; set; }
    public Setting<PlacedText?> UpstreamCiphers { get; set; }
    public Setting<PlacedText?> UpstreamCertificate { get; set; }
    public Setting<PlacedText?> UpstreamCertificateKey { get; set; }
    public Setting<PlacedText?> UpstreamPasswordFile { get; set; }
    public Setting<bool> UpstreamVerify { get; set; }
    public Setting<PlacedText?> UpstreamTrustedCertificateFile { get; set; }
    public Setting<PlacedText?> UpstreamCrlFile { get; set; }
    public Setting<int> UpstreamVerifyDepth { get; set; }
    public Setting<string?> UpstreamName { get; set; }
    public Setting<bool> UpstreamServerName { get; set; }
    public Setting<bool> UpstreamSessionReuse { get; set; }

    // Of both.
    public Setting<TlsTruncation> Truncation { get; set; }

    /// <summary>Its directives of TLS in the order written, right or wrong: what checks point at.</summary>
    public IEnumerable<ConfigNode> Nodes => _nodes.Values.SelectMany(n => n).OrderBy(n => n.Name.Source.Order).ThenBy(n => n.Name.Start);

    /// <param name="name">The directive, which a misspelt line only means.</param>
    /// <param name="node">The line.</param>
    public void Add(string name, ConfigNode node)
    {
        if (!_nodes.TryGetValue(name, out var nodes))
            _nodes.Add(name, nodes = []);
        nodes.Add(node);
    }

    /// <summary>The lines of a directive that act here: its own, or else those of the block around.</summary>
    public IReadOnlyList<ConfigNode> Lines(string name, TlsScope outer) =>
        _nodes.TryGetValue(name, out var own) ? own : outer._nodes.TryGetValue(name, out var others) ? others : [];

    /// <summary>How servers are spoken to. A block that says one of the two kinds of TLS takes the other from the block around no more.</summary>
    public UpstreamTls ModeWithin(TlsScope outer)
    {
        var saysExplicit = UpstreamStartTls.Else(UpstreamTls.Off) != UpstreamTls.Off;
        return UpstreamSsl.Else(!saysExplicit && outer.UpstreamSsl.Else(false))
            ? UpstreamTls.Implicit
            : UpstreamStartTls.Or(outer.UpstreamStartTls).Else(UpstreamTls.Off);
    }
}
