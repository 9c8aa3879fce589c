using System.IO;
using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>The machines of OpenNJet's documentation, with TLS from the first byte on either side of ferryd.</summary>
public sealed class ImplicitOpenNjetSetting : IAsyncLifetime, IDisposable
{
    private const string Conf = "implicit-tls-port-range.conf";

    private readonly TempFolder _folder = new();
    private Namespaces? _namespaces;
    private RealServer? _server;
    private FerrydProcess? _ferry;

    internal RealServer Server => _server ?? throw new InvalidOperationException("vsftpd was not started.");

    /// <summary>Ferry as the clients see it.</summary>
    internal FtpTarget Target => new(Namespaces.FerryAddress, 21, Server.User, Server.Password, _namespaces!.Client);

    /// <summary>An /etc with the certificate where the file has it, which ferryd sees in place of this machine's.</summary>
    private string Etc => _folder["etc"];

    public async Task InitializeAsync()
    {
        if (Needs.WhyNot(root: true, ImplicitOpenNjetTests.Tools) is not null)
            return;
        _folder.NewFolder("logs");
        (await Command.RunAsync("cp", ["-a", "/etc/.", _folder.NewFolder("etc")])).Succeeded();
        TestCertificate.Shared.WriteTo(_folder.NewFolder("etc/vsftpd/.sslkey"), "vsftpd");
        _namespaces = await Namespaces.CreateAsync();
        _server = await RealServer.StartAsync(
            ServerKind.Vsftpd, new IPEndPoint(IPAddress.Parse(Namespaces.ServerAddress), 990), _namespaces.Server,
            new RealServerTls { Implicit = true, LoginRequired = true, DataRequired = true });
        _ferry = await FerrydProcess.StartAsync(Repository.Data("Conf", Conf), _folder.Path, 21, _namespaces.Ferry, Etc);
    }

    public async Task DisposeAsync()
    {
        if (_ferry is not null)
            await _ferry.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
        if (_namespaces is not null)
            await _namespaces.DisposeAsync();
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Runs <c>ferryd -t</c> on the file where it runs.</summary>
    internal Task<CommandResult> CheckAsync() => FerrydProcess.CheckAsync(Repository.Data("Conf", Conf), _folder.Path, _namespaces!.Ferry, Etc);

    /// <summary>curl to Ferry's port 21, as the client's machine runs it.</summary>
    internal Task<CommandResult> CurlAsync(string home, params string[] arguments) => FtpTools.TryAsync(
        home, Target.Namespace, "curl",
        ["-sS", "-k", "--max-time", "20", "-u", $"{Target.User}:{Target.Password}", .. arguments]);

    internal string ReadLog()
    {
        using var reader = new StreamReader(new FileStream(Path.Combine(_folder.Path, "logs", "error.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        return reader.ReadToEnd();
    }
}

/// <summary>OpenNJet's documented file for implicit TLS, unchanged and on the documented addresses, before a vsftpd that takes nothing else and requires reuse.</summary>
public sealed class ImplicitOpenNjetTests(ImplicitOpenNjetSetting setting) : IClassFixture<ImplicitOpenNjetSetting>
{
    internal static readonly string[] Tools = ["ip", "vsftpd"];

    private static string Url(string path) => $"ftps://{Namespaces.FerryAddress}:21/{path}";

    public static TheoryData<string, TlsVersion> Clients => new()
    {
        { "curl", TlsVersion.Tls10 },
        { "curl", TlsVersion.Tls12 },
        { "lftp", TlsVersion.Tls13 },
        { "ftplib", TlsVersion.Any },
    };

    [RootTheory("ip", "vsftpd", "curl", "lftp")]
    [MemberData(nameof(Clients))]
    public async Task Every_client_works_with_the_documented_file(string tool, TlsVersion version)
    {
        using var folder = new TempFolder();
        var client = FtpTools.Get(tool, folder.Path, new ToolOptions { Tls = ToolTls.Implicit, Version = version });
        await EveryOperation.RunAsync(client, setting.Target, setting.Server, folder);
    }

    [RootFact("ip", "vsftpd", "curl")]
    public async Task A_client_of_TLS_1_0_gets_the_first_cipher_of_the_documented_list()
    {
        using var folder = new TempFolder();
        var result = await setting.CurlAsync(folder.Path, "-v", "--tlsv1.0", "--tls-max", "1.0", "--ciphers", "AES128-SHA@SECLEVEL=0", Url("pub/"));
        Assert.True(result.Succeeded().Output.Contains("SSL connection using TLSv1 / AES128-SHA", StringComparison.Ordinal), result.Output);
    }

    [RootFact("ip", "vsftpd", "curl")]
    public async Task The_ciphers_of_the_documented_list_are_the_only_ones_below_TLS_1_3()
    {
        using var folder = new TempFolder();
        var refused = await setting.CurlAsync(folder.Path, "--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES256-GCM-SHA384", Url("pub/"));
        Assert.Equal(35, refused.ExitCode);
        (await setting.CurlAsync(folder.Path, "--tls-max", "1.2", "--ciphers", "AES256-SHA", Url("pub/"))).Succeeded();
    }

    [RootFact("ip", "vsftpd")]
    public async Task The_check_of_the_documented_file_names_the_ciphers_that_OpenSSL_lacks()
    {
        var output = (await setting.CheckAsync()).Succeeded().Output;
        foreach (var cipher in (string[])["RC4-SHA", "DES-CBC3-SHA", "RC4-MD5"])
            Assert.Contains(cipher, output, StringComparison.Ordinal);
    }

    [RootFact("ip", "vsftpd", "curl")]
    public async Task Neither_a_password_nor_a_key_is_in_the_error_log()
    {
        using var folder = new TempFolder();
        (await setting.CurlAsync(folder.Path, Url("pub/"))).Succeeded();
        var log = setting.ReadLog();
        Assert.DoesNotContain(setting.Target.Password, log, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", log, StringComparison.Ordinal);
    }
}
