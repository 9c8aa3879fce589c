using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;
using Ferry.Transport.Tls;

namespace Ferry.FunctionalTests.Transport.Tls;

/// <summary>Contexts, ends and files of a test, gone with it.</summary>
internal sealed class TlsContexts : IDisposable
{
    private readonly List<IDisposable> _made = [];

    public TempFolder Folder { get; } = new();

    /// <summary>The findings of the context that was asked for last.</summary>
    public List<ConfigDiagnostic> Found { get; private set; } = [];

    public string[] Errors => [.. Found.Where(static f => f.Severity == ConfigSeverity.Error).Select(static f => f.Message)];

    public string[] Warnings => [.. Found.Where(static f => f.Severity == ConfigSeverity.Warning).Select(static f => f.Message)];

    public string[] Notes => [.. Found.Where(static f => f.Severity == ConfigSeverity.Note).Select(static f => f.Message)];

    /// <summary>A certificate in files, as the configuration names them.</summary>
    public TlsCertificateConfig Write(TestCertificate certificate, string name = "server")
    {
        _made.Add(certificate);
        var files = certificate.WriteTo(Folder.Path, name);
        return new TlsCertificateConfig(new PlacedText(files.Chain, At(1)), new PlacedText(files.Key, At(2)));
    }

    public PlacedText Write(string name, string text) => new(Folder.NewFile(name, text), At(3));

    public static ConfigPosition At(int line) => new("ferry.conf", line, 9);

    /// <summary>What is configured towards clients.</summary>
    public ClientTlsConfig ServerConfig(Func<ClientTlsConfig, ClientTlsConfig>? with = null)
    {
        var config = new ClientTlsConfig { Certificates = [Write(TestCertificate.SelfSigned(TestKey.Ecdsa), "default")] };
        return with is null ? config : with(config);
    }

    public TlsContext? TryServer(ClientTlsConfig config, TimeProvider? time = null, string name = "ftp")
    {
        Found = [];
        return Keep(TlsContext.TryCreate(config, name, Found, time));
    }

    public TlsContext? TryClient(UpstreamTlsConfig config)
    {
        Found = [];
        return Keep(TlsContext.TryCreate(config, Found));
    }

    public TlsContext Server(Func<ClientTlsConfig, ClientTlsConfig>? with = null)
    {
        var made = TryServer(ServerConfig(with));
        Assert.Empty(Errors);
        return made!;
    }

    public TlsContext Client(Func<UpstreamTlsConfig, UpstreamTlsConfig>? with = null)
    {
        var config = new UpstreamTlsConfig { Mode = UpstreamTls.Implicit };
        var made = TryClient(with is null ? config : with(config));
        Assert.Empty(Errors);
        return made!;
    }

    public (SslEnd Client, SslEnd Server) Meet(TlsContext client, TlsContext server, Meeting? how = null)
    {
        var ends = SslEnd.Meet(client, server, how);
        _made.Add(ends.Client);
        _made.Add(ends.Server);
        return ends;
    }

    public void Dispose()
    {
        foreach (var one in Enumerable.Reverse(_made))
            one.Dispose();
        Folder.Dispose();
    }

    private TlsContext? Keep(TlsContext? made)
    {
        if (made is not null)
            _made.Add(made);
        return made;
    }
}
