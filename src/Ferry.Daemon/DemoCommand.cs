using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Daemon.Demo;
using Ferry.Hosting;

namespace Ferry.Daemon;

/// <summary><c>ferryd demo</c>: a small FTP server with Ferry in front of it, on this machine, to see it work.</summary>
internal static class DemoCommand
{
    public const int DefaultPort = 2121;
    public const int MinDataPort = 21000;
    public const int MaxDataPort = 21010;

    // 2121 and 2990 are 21 and 990 for those who may not open these.
    private const int TlsDistance = 2990 - DefaultPort;

    /// <param name="port">Where Ferry listens; 0: any free port. The port of implicit TLS goes with it.</param>
    /// <param name="root">The folder that is served; null: a temporary one with a few files in it.</param>
    public static async Task<int> RunAsync(int port, string? root)
    {
        if ((WhyNotFree(port, port) ?? WhyNotFree(TlsPort(port), port)) is { } taken)
        {
            Report.Error(taken);
            return ExitCode.Failure;
        }
        using var signals = new Signals();
        try
        {
            using var certificate = DemoCertificate.Create(TimeProvider.System);
            using var folder = root is null ? DemoFolder.CreateTemporary() : DemoFolder.Open(root);
            await using var server = new DemoServer(folder, TimeProvider.System);
            using var log = new DemoLog(TimeProvider.System);
            using var held = Hold(TlsPort(port));
            var tls = (IPEndPoint)held.LocalEndPoint!;
            await using var proxy = new FerryProxy(Configure(port, tls, server.EndPoint, certificate), log);
            await proxy.StartAsync(signals.StopToken).ConfigureAwait(false);
            held.Dispose();
            var plain = proxy.EndPoints.Single(endPoint => endPoint.Port != tls.Port);
            Console.Out.Write(DemoText.Introduction(plain, tls, server.EndPoint, certificate, folder.Path, isTemporary: root is null));
            await WaitForEndAsync(signals).ConfigureAwait(false);
            await proxy.StopAsync().ConfigureAwait(false);
            return ExitCode.Ok;
        }
        catch (FerryStartException e)
        {
            foreach (var error in e.Errors)
                Report.Error(error);
            return ExitCode.Failure;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report.Error(e.Message);
            return ExitCode.Failure;
        }
        catch (OperationCanceledException) when (signals.StopToken.IsCancellationRequested)
        {
            return ExitCode.Ok;
        }
    }

    private static FerryConfig Configure(int port, IPEndPoint tls, IPEndPoint server, DemoCertificate certificate) => new()
    {
        MaxSessions = DemoText.MaxSessions,
        Servers =
        [
            new ServerConfig
            {
                Listens = [new ListenConfig(new IPEndPoint(IPAddress.Loopback, port)), new ListenConfig(tls, IsTls: true)],
                ClientTls = new ClientTlsConfig
                {
                    Certificates = [new TlsCertificateConfig(new PlacedText(certificate.CertificateFile), new PlacedText(certificate.KeyFile))],
                    StartTls = StartTls.On,
                },
                Zone = new ZoneConfig("demo", DemoText.ZoneSize, IPAddress.Loopback, MinDataPort, MaxDataPort),
                Upstream = new UpstreamConfig { Name = server.ToString(), Servers = [new UpstreamServerConfig(server.Address.ToString(), server.Port)] },
            },
        ],
    };

    /// <summary>Where implicit TLS is spoken: as far from the plain port as 2990 is from 2121, where that is a port that can be used.</summary>
    private static int TlsPort(int port) => port switch
    {
        0 => 0,
        21 => 990,
        _ when port + TlsDistance is <= IPEndPoint.MaxPort and not (>= MinDataPort and <= MaxDataPort) => port + TlsDistance,
        _ => port - TlsDistance,
    };

    /// <summary>Keeps a port, or any free one where it is 0, until Ferry listens on it: the kernel gives it to nobody else meanwhile.</summary>
    private static Socket Hold(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }

    /// <summary>Why a port cannot be listened on, and the way out; null where it can.</summary>
    /// <param name="port">The port.</param>
    /// <param name="asked">What was asked for, from which it follows.</param>
    private static string? WhyNotFree(int port, int asked)
    {
        if (port is >= MinDataPort and <= MaxDataPort)
            return $"the ports {MinDataPort}-{MaxDataPort} are for data; choose another one: demo --port {DefaultPort}";
        try
        {
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Loopback, port));
            probe.Listen(1);
            return null;
        }
        catch (SocketException e)
        {
            var reason = e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"port {port} is taken by another program",
                SocketError.AccessDenied => $"port {port} may not be used by this user",
                _ => $"port {port} cannot be used: {e.Message}",
            };
            return $"{reason}; choose another one: demo --port {(asked == DefaultPort ? DefaultPort + 1 : DefaultPort)}";
        }
    }

    /// <summary>There is nothing to reload or to drain here: every signal but SIGUSR1 ends the demo, a closed terminal's SIGHUP too.</summary>
    private static async Task WaitForEndAsync(Signals signals)
    {
        try
        {
            while (await signals.Requests.ReadAsync(signals.StopToken).ConfigureAwait(false) == SignalRequest.Reopen)
            {
            }
        }
        catch (OperationCanceledException)
        {
            // SIGINT or SIGTERM.
        }
    }
}
