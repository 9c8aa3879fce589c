using System.Linq;

namespace Ferry.Config;

/// <summary>TLS: what one directive needs of another, and what is written but acts nowhere.</summary>
internal sealed partial class ConfigValidator
{
    /// <summary>What <c>stream</c> says wrongly is said of its line once, however many servers have it from there.</summary>
    private readonly HashSet<(int File, int Start)> _saidOfTls = [];

    private TlsScope Outer => main.Stream.Tls;

    private void CheckTls()
    {
        var controls = main.Servers.Where(s => s is { Control: not null, Data: null }).ToList();
        foreach (var server in controls)
        {
            CheckAuthMode(server);
            CheckClientTls(server);
            CheckUpstreamTls(server);
        }
        var zones = main.Servers.Where(s => s is { Data: not null, Control: null })
            .Select(data => (Data: data, Control: controls.Find(s => s.Zone is not null && s.Zone.Name == data.DataZone?.Text)))
            .ToList();
        foreach (var (data, control) in zones)
        {
            if (control is not null)
                CheckDataListens(data, control);
        }
        // A mistake is often why something acts nowhere, so these wait until there is none.
        if (findings.HasErrors)
            return;
        CheckIdle(Outer, controls.Exists(s => s.OffersTls(Outer)), controls.Exists(IsSpokenToInTls));
        foreach (var server in controls)
            CheckIdle(server.Scope.Tls, server.OffersTls(Outer), IsSpokenToInTls(server));
        foreach (var (data, control) in zones)
        {
            if (control is not null)
                CheckDataTls(data, control);
        }
    }

    private bool IsSpokenToInTls(ServerDraft server) => server.Scope.Tls.ModeWithin(Outer) != UpstreamTls.Off;

    private void CheckAuthMode(ServerDraft server)
    {
        if (server.AuthMode is not { } mode)
            return;
        if (server.Scope.Tls.StartTls.Or(Outer.StartTls).IsSet)
            findings.Note(mode, "mode=auth", "\"mode=auth\" has no effect: \"starttls\" says whether AUTH is offered");
        else if (server.StartTlsWithin(Outer) == StartTls.Off)
            findings.Note(mode, "mode=auth", "\"mode=auth\" has no effect without a certificate: add ssl_certificate and ssl_certificate_key");
    }

    private void CheckClientTls(ServerDraft server)
    {
        var own = server.Scope.Tls;
        var startTls = server.StartTlsWithin(Outer);
        if (!server.OffersTls(Outer))
            return;
        var certificates = own.Lines("ssl_certificate", Outer);
        var keys = own.Lines("ssl_certificate_key", Outer);
        if (certificates.Count == 0 || keys.Count == 0)
        {
            var lacks = certificates.Count > 0 ? "no certificate key: add ssl_certificate_key"
                : keys.Count > 0 ? "no certificate: add ssl_certificate"
                : "no certificate: add ssl_certificate and ssl_certificate_key";
            foreach (var listen in server.Listens.Where(l => l.IsSsl))
                findings.Error(listen.Place, $"\"listen {listen.Place.Text} ssl\" has {lacks}, or remove \"ssl\"");
            if (!server.Listens.Exists(l => l.IsSsl))
                Say(own.Lines("starttls", Outer), node => $"{Shown(node)} has {lacks}, or write starttls off;");
        }
        else if (certificates.Count != keys.Count)
        {
            var (longer, shorter) = certificates.Count > keys.Count ? (certificates, keys) : (keys, certificates);
            Say([longer[shorter.Count]], node =>
                $"{node.Name.Text} number {shorter.Count + 1} has no {shorter[0].Name.Text}: lines of the two belong together in the order written");
        }
        if (own.VerifyClient.Or(Outer.VerifyClient).Else(ClientVerification.Off) is ClientVerification.On or ClientVerification.Optional
            && !HasFile(own, "ssl_client_certificate") && !HasFile(own, "ssl_trusted_certificate"))
        {
            Say(own.Lines("ssl_verify_client", Outer), node =>
                $"{Shown(node)} has no authorities to verify with: add ssl_client_certificate");
        }
        if (startTls != StartTls.Off && own.StartTls.IsSet && server.Listens.TrueForAll(l => l.IsSsl))
            findings.Warning(own.Lines("starttls", Outer)[0].Name, "\"starttls\" has no effect: every \"listen\" of this server has \"ssl\", so its clients speak TLS already");
    }

    private void CheckUpstreamTls(ServerDraft server)
    {
        var own = server.Scope.Tls;
        if (!IsSpokenToInTls(server))
            return;
        if (own.UpstreamVerify.Or(Outer.UpstreamVerify).Else(false))
        {
            if (!HasFile(own, "proxy_ssl_trusted_certificate"))
                Say(own.Lines("proxy_ssl_verify", Outer), _ => "\"proxy_ssl_verify on\" has no authorities to verify with: add proxy_ssl_trusted_certificate");
            if (own.Lines("proxy_ssl_name", Outer).Count == 0 && server.ProxyPass is { Arguments: [var target] }
                && main.UpstreamsByName.ContainsKey(target.Text) && !target.Text.Contains('.'))
            {
                findings.Warning(target,
                    $"certificates of these servers must carry the name {ConfigFindings.Show(target.Text)}, which is only that of the upstream: write proxy_ssl_name");
            }
        }
        var hasCertificate = HasFile(own, "proxy_ssl_certificate");
        if (hasCertificate && !HasFile(own, "proxy_ssl_certificate_key"))
            Say(own.Lines("proxy_ssl_certificate", Outer), _ => "\"proxy_ssl_certificate\" has no key: add proxy_ssl_certificate_key");
        else if (!hasCertificate && HasFile(own, "proxy_ssl_certificate_key"))
            Say(own.Lines("proxy_ssl_certificate_key", Outer), _ => "\"proxy_ssl_certificate_key\" has no certificate: add proxy_ssl_certificate");
    }

    /// <summary>What a block says of TLS where nobody speaks it; what only repeats a default asks for nothing.</summary>
    private void CheckIdle(TlsScope scope, bool isWithClients, bool isWithServers)
    {
        var telling = scope.Nodes.Where(n => Meaning([n]) != Meaning(n.Name.Text)).ToList();
        if (!isWithClients && telling.Find(n => IsOfClients(n) && n.Name.Text != "starttls") is { } towardsClients)
            findings.Warning(towardsClients.Name,
                $"\"{towardsClients.Name.Text}\" has no effect: no client speaks TLS here, because no \"listen\" has \"ssl\" and \"starttls\" is off");
        if (!isWithServers && telling.Find(IsOfServers) is { } towardsServers)
            findings.Warning(towardsServers.Name,
                $"\"{towardsServers.Name.Text}\" has no effect: no server is spoken to in TLS here, because \"proxy_ssl\" and \"proxy_starttls\" are off");
        if (!isWithClients && !isWithServers && telling.Find(n => n.Name.Text == "ftp_tls_truncation") is { } truncation)
            findings.Warning(truncation.Name, "\"ftp_tls_truncation\" has no effect: neither clients nor servers speak TLS here");
    }

    private void CheckDataListens(ServerDraft data, ServerDraft control)
    {
        var first = data.Listens.Find(l => l.IsSsl);
        if (first is not null && !control.OffersTls(Outer))
        {
            var lacks = data.Scope.Tls.Lines("ssl_certificate", Outer).Count > 0 ? "is of no use" : "has no certificate";
            findings.Error(first.Place,
                $"\"listen {first.Place.Text} ssl\" {lacks}: the \"ftp_ctrl\" server at {control.Control!.Position} offers no TLS; "
                + "remove \"ssl\" here, or add ssl_certificate, ssl_certificate_key and starttls on there");
        }
        else if (first is not null && data.Listens.Find(l => !l.IsSsl) is { } other)
        {
            findings.Warning(other.Place,
                $"\"listen {other.Place.Text}\" has no \"ssl\", but {first.Place.Position} has: clear data is refused on all ports of a zone or on none, here on all");
        }
    }

    /// <summary>A data connection resumes its control connection's session, so all that a session is made of is the control server's.</summary>
    private void CheckDataTls(ServerDraft data, ServerDraft control)
    {
        foreach (var name in data.Scope.Tls.Nodes.Select(n => n.Name.Text).Where(n => n != "ftp_tls_truncation").Distinct())
        {
            var node = data.Scope.Tls.Lines(name, Outer)[0];
            if (Meaning(data.Scope.Tls.Lines(name, Outer)) != Meaning(control.Scope.Tls.Lines(name, Outer), name))
                findings.Warning(node.Name,
                    $"\"{name}\" differs from what the \"ftp_ctrl\" server at {control.Control!.Position} has, and has no effect: a data connection resumes the session of its control connection");
        }
    }

    private bool HasFile(TlsScope own, string name) => own.Lines(name, Outer) is [var line, ..] && (line.Arguments is not [{ Text: "" }]);

    private static bool IsOfServers(ConfigNode node) => node.Name.Text.StartsWith("proxy_", StringComparison.Ordinal);

    private static bool IsOfClients(ConfigNode node) => !IsOfServers(node) && node.Name.Text != "ftp_tls_truncation";

    private static string Shown(ConfigNode node) => ConfigFindings.Show(string.Join(' ', [node.Name.Text, .. node.Arguments.Select(a => a.Text)]));

    private void Say(IReadOnlyList<ConfigNode> lines, Func<ConfigNode, string> message)
    {
        if (lines is [var node, ..] && _saidOfTls.Add((node.Name.Source.Order, node.Name.Start)))
            findings.Error(node.Name, message(node));
    }

    private static string Meaning(IReadOnlyList<ConfigNode> lines, string name) => lines.Count > 0 ? Meaning(lines) : Meaning(name);

    /// <summary>What lines come to: 60s is 1m, and the order of versions says nothing.</summary>
    private static string Meaning(IReadOnlyList<ConfigNode> lines) =>
        string.Join('\n', lines.Select(l => Meaning(l.Name.Text, l.Arguments.Select(a => a.Text))));

    /// <summary>What no line comes to: the default.</summary>
    private static string Meaning(string name) =>
        DirectiveTable.Find(name, ConfigContexts.Server) is { Default: not "none" } row ? Meaning(name, row.Default.Split(' ')) : "";

    private static string Meaning(string name, IEnumerable<string> words)
    {
        words = words.Select(w => ConfigValue.TryTime(w, out var time) ? $"{time}" : w);
        if (name.EndsWith("ssl_protocols", StringComparison.Ordinal))
            words = words.Distinct().Order(StringComparer.Ordinal);
        return string.Join(' ', words);
    }
}
