using System.Globalization;
using System.IO;
using System.Net;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The FTP servers that people run.</summary>
public enum ServerKind
{
    Vsftpd,
    ProFtpd,
    PureFtpd,
    Pyftpdlib,
}

/// <summary>
/// A real FTP server with a temporary root, in which the folder <c>pub</c> may be read and written. Three of them are run from
/// where <c>./test</c> unpacks their packages, which exclude each other when installed.
/// </summary>
internal sealed class RealServer : IAsyncDisposable
{
    /// <summary>Who owns the served files: the user "games", which every Debian has and nobody is (base-passwd).</summary>
    private const int Uid = 5;

    private const int Gid = 60;

    private readonly TempFolder _folder;
    private readonly ChildProcess _child;

    private RealServer(ServerKind kind, RealServerTls? tls, IPEndPoint endPoint, TempFolder folder, ChildProcess child)
    {
        Kind = kind;
        Tls = tls;
        EndPoint = endPoint;
        _folder = folder;
        _child = child;
    }

    public ServerKind Kind { get; }

    public RealServerTls? Tls { get; }

    public IPEndPoint EndPoint { get; }

    /// <summary>vsftpd refuses a local user without PAM, so there it is the anonymous one.</summary>
    public string User => Kind == ServerKind.Vsftpd ? "anonymous" : RealServerFiles.User;

    public string Password { get; } = RealServerFiles.Password;

    /// <summary>The folder that clients see as <c>/pub</c>.</summary>
    public string Pub => Path.Combine(_folder.Path, "root", "pub");

    public string Output => _child.Output;

    /// <summary>What ProFTPD's mod_tls has to say; empty for the others.</summary>
    public string TlsLog => File.Exists(_folder["tls.log"]) ? File.ReadAllText(_folder["tls.log"]) : "";

    /// <param name="kind">Which server.</param>
    /// <param name="endPoint">Where it listens; null is a port of its own on 127.0.0.1.</param>
    /// <param name="netns">The network namespace that it runs in; null is this one.</param>
    /// <param name="tls">How it speaks TLS; null is not at all.</param>
    /// <param name="settings">More lines of its configuration; for pure-ftpd more arguments.</param>
    public static async Task<RealServer> StartAsync(
        ServerKind kind, IPEndPoint? endPoint = null, string? netns = null, RealServerTls? tls = null, IReadOnlyList<string>? settings = null)
    {
        if (settings is { Count: > 0 } && kind == ServerKind.Pyftpdlib)
            throw new ArgumentException("pyftpdlib's script has no settings.", nameof(settings));
        if (tls is { Implicit: true } && kind == ServerKind.PureFtpd)
            throw new ArgumentException("pure-ftpd knows no implicit TLS.", nameof(tls));
        endPoint ??= new IPEndPoint(IPAddress.Loopback, FreePorts.One());
        var folder = new TempFolder();
        ChildProcess? child = null;
        try
        {
            // A root that the user may write is refused by vsftpd, so there is a folder in it.
            var root = folder.NewFolder("root");
            await GiveAsync(folder.NewFolder(Path.Combine("root", "pub")));
            var environment = tls is null ? null : WriteTls(tls, folder);
            var (program, arguments) = await PrepareAsync(kind, endPoint, folder, root, tls, settings ?? []);
            child = await ChildProcess.StartAsync(program, arguments, netns, environment);
            await child.ListeningAsync(endPoint.Port);
            return new RealServer(kind, tls, endPoint, folder, child);
        }
        catch
        {
            if (child is not null)
                await child.DisposeAsync();
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The program of a server that is unpacked, by its package's name.</summary>
    public static string ProgramOf(string name) =>
        Path.Combine(Repository.Servers, name == "proftpd" ? "proftpd-core" : name, "usr", "sbin", name);

    /// <summary>Puts a file into <c>/pub</c>, which clients may change.</summary>
    public async Task PutAsync(string name, byte[] bytes)
    {
        var path = Path.Combine(Pub, name);
        await File.WriteAllBytesAsync(path, bytes);
        await GiveAsync(path);
    }

    /// <summary>Where a file of <c>/pub</c> lies.</summary>
    public string PathOf(string name) => Path.Combine(Pub, name);

    public async ValueTask DisposeAsync()
    {
        await _child.DisposeAsync();
        _folder.Dispose();
    }

    private static async Task GiveAsync(string path)
    {
        if (Environment.IsPrivilegedProcess)
            (await Command.RunAsync("chown", [string.Create(CultureInfo.InvariantCulture, $"{Uid}:{Gid}"), path])).Succeeded();
    }

    /// <summary>Writes what the configurations of all servers refer to, and tells the environment that holds a server to one version.</summary>
    private static Dictionary<string, string>? WriteTls(RealServerTls tls, TempFolder folder)
    {
        (tls.Certificate ?? TestCertificate.Shared).WriteTo(folder.NewFolder("tls"));
        tls.ClientAuthority?.WriteTo(folder["tls"], "clients");
        return tls.Version == TlsVersion.Any
            ? null
            : new Dictionary<string, string> { ["OPENSSL_CONF"] = folder.NewFile(Path.Combine("tls", "openssl.cnf"), tls.OpenSslConfiguration) };
    }

    private static async Task<(string Program, string[] Arguments)> PrepareAsync(
        ServerKind kind, IPEndPoint endPoint, TempFolder folder, string root, RealServerTls? tls, IReadOnlyList<string> settings)
    {
        var lines = string.Join('\n', settings) + "\n";
        switch (kind)
        {
            case ServerKind.Vsftpd:
                folder.NewFolder("empty");
                return (ProgramOf("vsftpd"), [folder.NewFile("vsftpd.conf", RealServerFiles.Vsftpd(endPoint, root, folder["empty"], tls, folder.Path) + lines)]);

            case ServerKind.ProFtpd:
                File.SetUnixFileMode(folder.NewFile("passwd", RealServerFiles.ProFtpdUsers(Uid, Gid, root)), UnixFileMode.UserRead | UnixFileMode.UserWrite);
                return (ProgramOf("proftpd"), ["-n", "-q", "-c", folder.NewFile("proftpd.conf", RealServerFiles.ProFtpd(endPoint, folder.Path, tls) + lines)]);

            case ServerKind.PureFtpd:
                var users = folder.NewFile("users", RealServerFiles.PureFtpdUsers(Uid, Gid, root));
                var compile = Path.Combine(Repository.Servers, "pure-ftpd", "usr", "bin", "pure-pw");
                (await Command.RunAsync(compile, ["mkdb", folder["users.pdb"], "-f", users])).Succeeded();
                // 1: TLS on demand, 2: at login, 3: on data too.
                string[] secure = tls is null ? [] : ["-Y", tls.DataRequired ? "3" : tls.LoginRequired ? "2" : "1", "-2", $"{folder["tls"]}/server.pem"];
                return (ProgramOf("pure-ftpd"),
                    [.. secure, .. settings, "-S", $"{endPoint.Address},{endPoint.Port}", "-l", $"puredb:{folder["users.pdb"]}", "-E", "-A", "-H", "-u", "1", "-c", "500", "-C", "500", "-k", "99", "-g", folder["pid"]]);

            default:
                string[] asked = tls is null ? [] : [folder["tls"], tls.Implicit ? "implicit" : "explicit", tls.LoginRequired ? "login" : "-", tls.DataRequired ? "data" : "-"];
                return ("/usr/bin/python3",
                    [Repository.Data("Harness", "Scripts", "pyftpdlib_server.py"), $"{endPoint.Address}", $"{endPoint.Port}", root, RealServerFiles.User, RealServerFiles.Password, .. asked]);
        }
    }
}
