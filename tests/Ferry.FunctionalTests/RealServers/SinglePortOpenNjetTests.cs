using System.IO;
using System.Net;
using System.Text.RegularExpressions;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>OpenNJet's two documented files for one data port, on the documented addresses: the one unchanged, the other with its mistakes corrected.</summary>
public sealed class SinglePortOpenNjetTests
{
    private const string Implicit = "implicit-tls-single-port.conf";
    private const string Plain = "plain-single-port.conf";

    [RootFact("ip", "iptables", "vsftpd", "curl")]
    public async Task The_documented_file_for_implicit_TLS_runs_as_it_is()
    {
        using var folder = new TempFolder();
        await using var machines = await Namespaces.CreateAsync();
        await RunAsync(folder, machines, Repository.Data("Conf", Implicit), new RealServerTls { Implicit = true, LoginRequired = true, DataRequired = true }, "ftps");
    }

    [RootFact("ip", "iptables", "vsftpd", "curl")]
    public async Task The_documented_plain_file_runs_once_its_mistakes_are_corrected()
    {
        using var folder = new TempFolder();
        await using var machines = await Namespaces.CreateAsync();
        var text = await File.ReadAllTextAsync(Repository.Data("Conf", Plain));
        var wrong = await FerrydProcess.RunAsync("-t", "-p", folder.Path, "-c", Repository.Data("Conf", Plain));
        Assert.Equal(1, wrong.ExitCode);
        Assert.Contains("\"listen 10001 ssl\" has no certificate", wrong.Output, StringComparison.Ordinal);
        Assert.Contains("is on port 990, where servers speak TLS", wrong.Output, StringComparison.Ordinal);
        var right = text.Replace("listen 10001 ssl;", "listen 10001;", StringComparison.Ordinal).Replace("192.168.40.91:990", "192.168.40.91:21", StringComparison.Ordinal);
        await RunAsync(folder, machines, folder.NewFile(Plain, right), null, "ftp");
    }

    private static async Task RunAsync(TempFolder folder, Namespaces machines, string conf, RealServerTls? tls, string scheme)
    {
        folder.NewFolder("logs");
        (await Command.RunAsync("cp", ["-a", "/etc/.", folder.NewFolder("etc")])).Succeeded();
        TestCertificate.Shared.WriteTo(folder.NewFolder("etc/vsftpd/.sslkey"), "vsftpd");
        await using var server = await RealServer.StartAsync(
            ServerKind.Vsftpd, new IPEndPoint(IPAddress.Parse(Namespaces.ServerAddress), tls is null ? 21 : 990), machines.Server, tls);
        await server.PutAsync("down", [1, 2, 3, 4]);
        var up = folder.NewFile("up", [5, 6, 7]);
        var target = new FtpTarget(Namespaces.FerryAddress, 21, server.User, server.Password, machines.Client);
        var before = await TablesAsync(machines);
        await using var ferry = await FerrydProcess.StartAsync(conf, folder.Path, 21, machines.Ferry, folder["etc"]);

        foreach (var passive in (string[])["--disable-epsv", "--ftp-pasv"])
        {
            await CurlAsync(folder, target, passive, "-o", folder["got"], $"{scheme}://{Namespaces.FerryAddress}:21/pub/down");
            Assert.Equal(new byte[] { 1, 2, 3, 4 }, await File.ReadAllBytesAsync(folder["got"]));
            await CurlAsync(folder, target, passive, "-T", up, $"{scheme}://{Namespaces.FerryAddress}:21/pub/up");
            Assert.Equal(new byte[] { 5, 6, 7 }, await File.ReadAllBytesAsync(server.PathOf("up")));
            Assert.Contains("down", await CurlAsync(folder, target, passive, $"{scheme}://{Namespaces.FerryAddress}:21/pub/"), StringComparison.Ordinal);
        }
        var during = await TablesAsync(machines);
        Assert.Equal(2, Regex.Count(during, "-j FERRY-10001"));
        Assert.Contains("--dport 11000:12000", during, StringComparison.Ordinal);
        await ferry.SignalAsync("TERM");
        Assert.Equal(0, await ferry.ExitedAsync());
        Assert.Equal(before, await TablesAsync(machines));
    }

    private static async Task<string> CurlAsync(TempFolder folder, FtpTarget target, params string[] arguments) =>
        (await FtpTools.TryAsync(folder.Path, target.Namespace, "curl", ["-sS", "-k", "--max-time", "20", "-u", $"{target.User}:{target.Password}", .. arguments])).Succeeded().Output;

    private static async Task<string> TablesAsync(Namespaces machines) =>
        string.Join('\n', Regex.Matches((await Command.RunAsync("iptables", ["-t", "nat", "-S"], netns: machines.Ferry)).Succeeded().Output, "^-.*FERRY.*$", RegexOptions.Multiline));
}
