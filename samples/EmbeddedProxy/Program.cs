using System.Net;
using Ferry.Config;
using Ferry.Hosting;
using Microsoft.Extensions.Hosting;

// dotnet run --project samples/EmbeddedProxy -- HOST [PORT]: the FTP server that the proxy stands in front of.
var host = args is [var name, ..] ? name : "127.0.0.1";
var port = args is [_, var text, ..] ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 21;

var builder = Host.CreateApplicationBuilder();
var config = new FerryConfig
{
    Servers =
    [
        new ServerConfig
        {
            Listens = [new ListenConfig(new IPEndPoint(IPAddress.Loopback, 2121))],
            Zone = new ZoneConfig("data", Size: 64 * 1024, ProxyAddress: IPAddress.Loopback, MinPort: 21000, MaxPort: 21010),
            Upstream = new UpstreamConfig { Name = "files", Servers = [new UpstreamServerConfig(host, port)] },
            LoginTimeout = TimeSpan.FromSeconds(30),
        },
    ],
};
builder.Services.AddFerry(config);
await builder.Build().RunAsync();
