using System.Net;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.RealServers;

/// <summary>The machines of OpenNJet's documentation: vsftpd, ferryd with the documented file unchanged, and a place for clients.</summary>
public sealed class OpenNjetSetting : IAsyncLifetime, IDisposable
{
    private readonly TempFolder _folder = new();
    private Namespaces? _namespaces;
    private RealServer? _server;
    private FerrydProcess? _ferry;

    internal RealServer Server => _server ?? throw new InvalidOperationException("vsftpd was not started.");

    internal FerrydProcess Ferry => _ferry ?? throw new InvalidOperationException("ferryd was not started.");

    /// <summary>Where ferryd writes what the file tells it to.</summary>
    internal string Prefix => _folder.Path;

    /// <summary>Ferry as the clients see it.</summary>
    internal FtpTarget Target => new(Namespaces.FerryAddress, 21, Server.User, Server.Password, _namespaces!.Client);

    public async Task InitializeAsync()
    {
        if (Needs.WhyNot(root: true, OpenNjetTests.Tools) is not null)
            return;
        _folder.NewFolder("logs");
        _namespaces = await Namespaces.CreateAsync();
        _server = await RealServer.StartAsync(ServerKind.Vsftpd, new IPEndPoint(IPAddress.Parse(Namespaces.ServerAddress), 21), _namespaces.Server);
        _ferry = await FerrydProcess.StartAsync(Repository.Data("Conf", "plain-port-range.conf"), _folder.Path, 21, _namespaces.Ferry);
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
}
