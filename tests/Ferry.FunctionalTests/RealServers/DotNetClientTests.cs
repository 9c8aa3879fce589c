using System.Globalization;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Ferry.FunctionalTests.Harness;

// Nothing else is what old .NET programs use.
#pragma warning disable SYSLIB0014

namespace Ferry.FunctionalTests.RealServers;

/// <summary>.NET's FtpWebRequest, which in active mode refuses data from any address but that of its control connection.</summary>
public sealed class DotNetClientTests
{
    [RootTheory("vsftpd")]
    [InlineData("127.0.0.1", true, false)]
    [InlineData("127.0.0.1", false, false)]
    [InlineData("127.0.0.1", true, true)]
    [InlineData("127.0.0.1", false, true)]
    [InlineData("127.0.0.7", true, false)]
    [InlineData("127.0.0.7", false, false)]
    [InlineData("[::1]", true, false)]
    [InlineData("[::1]", false, false)]
    public async Task FtpWebRequest_works_in_both_modes_with_every_address_of_Ferry(string address, bool passive, bool tls)
    {
        using var folder = new TempFolder();
        var files = TestCertificate.Shared.WriteTo(folder.Path);
        await using var server = await RealServer.StartAsync(ServerKind.Vsftpd, tls: new RealServerTls());
        var (port, first) = (FreePorts.One(), FreePorts.Range(8));
        await using var proxy = await TestProxy.StartAsync($$"""
            stream {
                server {
                    listen 127.0.0.1:{{port}};
                    listen 127.0.0.7:{{port}};
                    listen [::1]:{{port}};
                    ftp_ctrl zone=ports:1M proxy_ip=auto min_port={{first}} max_port={{first + 7}};
                    starttls on;
                    ssl_certificate {{files.Chain}};
                    ssl_certificate_key {{files.Key}};
                    proxy_starttls match;
                    # It ends its uploads without close_notify, which is no end by default (426).
                    {{(tls ? "ftp_tls_truncation allow;" : "")}}
                    proxy_pass {{server.EndPoint}};
                }
            }
            """);
        var bytes = RandomNumberGenerator.GetBytes(150_001);
        var requests = new Requests($"ftp://{address}:{port}/pub/", server, passive, tls);

        await requests.SendAsync(WebRequestMethods.Ftp.UploadFile, "file", bytes[..100_000]);
        await requests.SendAsync(WebRequestMethods.Ftp.AppendFile, "file", bytes[100_000..]);
        Assert.Equal(bytes, await File.ReadAllBytesAsync(server.PathOf("file")));
        Assert.Equal(bytes, await requests.GetAsync(WebRequestMethods.Ftp.DownloadFile, "file"));
        Assert.Equal(bytes[70_000..], await requests.GetAsync(WebRequestMethods.Ftp.DownloadFile, "file", from: 70_000));
        Assert.Contains("150001", Encoding.ASCII.GetString(await requests.GetAsync(WebRequestMethods.Ftp.ListDirectoryDetails, "")), StringComparison.Ordinal);
        Assert.Equal("file\r\n", Encoding.ASCII.GetString(await requests.GetAsync(WebRequestMethods.Ftp.ListDirectory, "")).Replace("pub/", "", StringComparison.Ordinal));
        var refused = await Assert.ThrowsAsync<WebException>(() => requests.GetAsync(WebRequestMethods.Ftp.DownloadFile, "missing"));
        Assert.Equal(FtpStatusCode.ActionNotTakenFileUnavailable, ((FtpWebResponse)refused.Response!).StatusCode);
        await requests.GetAsync(WebRequestMethods.Ftp.DeleteFile, "file");
        Assert.False(File.Exists(server.PathOf("file")));

        await proxy.UntilIdleAsync();
    }

    [Fact]
    public async Task FtpWebRequest_does_refuse_data_from_another_address()
    {
        var reply = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async c =>
        {
            await c.LogInAsync();
            IPEndPoint? named = null;
            while (await c.ReadLineAsync() is { } line && !line.StartsWith("RETR", StringComparison.Ordinal))
            {
                if (line.StartsWith("PORT ", StringComparison.Ordinal))
                {
                    var numbers = line[5..].Split(',');
                    named = new IPEndPoint(IPAddress.Loopback, int.Parse(numbers[4], CultureInfo.InvariantCulture) * 256 + int.Parse(numbers[5], CultureInfo.InvariantCulture));
                }
                await c.SendAsync(line.StartsWith("PWD", StringComparison.Ordinal) ? "257 \"/\"" : "200 OK.");
            }
            using var data = await DataEnd.ConnectAsync(named!, IPAddress.Parse("127.0.0.9"));
            await c.SendAsync("150 Here it comes.");
            await data.SendAsync("data"u8.ToArray());
            data.Dispose();
            await c.SendAsync("226 Sent.");
            await reply.Task;
        });
        var requests = new Requests($"ftp://127.0.0.1:{server.Port}/", null, passive: false, tls: false);
        await Assert.ThrowsAsync<WebException>(() => requests.GetAsync(WebRequestMethods.Ftp.DownloadFile, "file"));
        reply.SetResult();
    }

    /// <summary>Nothing else of this process asks it.</summary>
    static DotNetClientTests() => ServicePointManager.ServerCertificateValidationCallback =
        (_, certificate, _, _) => certificate?.GetCertHashString() == TestCertificate.Shared.Certificate.GetCertHashString();

    private sealed class Requests(string url, RealServer? server, bool passive, bool tls)
    {
        public async Task<byte[]> GetAsync(string method, string name, long from = 0)
        {
            var request = New(method, name);
            request.ContentOffset = from;
            using var response = await Wait.For(request.GetResponseAsync(), $"the response to {method}");
            using var all = new MemoryStream();
            await using var stream = response.GetResponseStream();
            await Wait.For(stream.CopyToAsync(all), "the file");
            return all.ToArray();
        }

        public async Task SendAsync(string method, string name, byte[] bytes)
        {
            var request = New(method, name);
            await using (var stream = await Wait.For(request.GetRequestStreamAsync(), "a data connection"))
                await stream.WriteAsync(bytes);
            using var response = (FtpWebResponse)await Wait.For(request.GetResponseAsync(), $"the response to {method}");
            Assert.Equal(FtpStatusCode.ClosingData, response.StatusCode);
        }

        private FtpWebRequest New(string method, string name)
        {
            var request = (FtpWebRequest)WebRequest.Create(new Uri(url + name));
            request.Method = method;
            request.UsePassive = passive;
            request.UseBinary = true;
            request.KeepAlive = false;
            request.EnableSsl = tls;
            request.Proxy = null;
            request.Credentials = new NetworkCredential(server?.User ?? "ferry", server?.Password ?? "secret");
            return request;
        }
    }
}
