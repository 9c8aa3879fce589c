using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Ferry.Config;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Hosting;

/// <summary>TEMPORARY stand-in.</summary>
/// <param name="Sessions">Sessions.</param>
public sealed record ProxyStatus(int Sessions);

/// <summary>TEMPORARY stand-in.</summary>
public sealed class FerryStartException : Exception
{
    /// <summary>TEMPORARY.</summary>
    public FerryStartException(IReadOnlyList<string> errors) : base(string.Join("; ", errors)) => Errors = errors;

    /// <summary>TEMPORARY.</summary>
    public IReadOnlyList<string> Errors { get; }
}

/// <summary>TEMPORARY stand-in, so that the daemon can be built and tried before the real one is there.</summary>
public sealed class FerryProxy(FerryConfig config, ILoggerFactory? loggers = null, TimeProvider? time = null) : IAsyncDisposable
{
    /// <summary>TEMPORARY.</summary>
    public const string MeterName = "Ferry";
    private readonly List<Socket> _listeners = [];
    private readonly ConcurrentDictionary<Socket, bool> _sockets = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly CancellationTokenSource _stop = new();

    /// <summary>TEMPORARY.</summary>
    public ILoggerFactory Loggers { get; } = loggers ?? NullLoggerFactory.Instance;

    /// <summary>TEMPORARY.</summary>
    public ImmutableArray<IPEndPoint> EndPoints { get; private set; } = [];

    /// <summary>TEMPORARY.</summary>
    public Task StartAsync(CancellationToken ct = default)
    {
        foreach (var server in config.Servers)
        {
            foreach (var listen in server.Listens)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                try
                {
                    socket.Bind(listen.EndPoint);
                    socket.Listen(listen.Backlog);
                }
                catch (SocketException e)
                {
                    socket.Dispose();
                    throw new FerryStartException([$"bind to {listen.EndPoint} failed: {e.Message}"]);
                }
                _listeners.Add(socket);
                EndPoints = EndPoints.Add((IPEndPoint)socket.LocalEndPoint!);
                _ = AcceptAsync(socket, server);
            }
        }
        return Task.CompletedTask;
    }

    private async Task AcceptAsync(Socket listener, ServerConfig server)
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
            _ = SessionAsync(client, server);
        }
    }

    private async Task SessionAsync(Socket client, ServerConfig server)
    {
        var log = Loggers.CreateLogger("Ferry.Sessions.FtpSession");
#pragma warning disable CA1848, CA1873, CA2254
        log.LogInformation("client connected {Client}", client.RemoteEndPoint);
        using var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var owned = client;
        _sockets[client] = true;
        await upstream.ConnectAsync(server.Upstream.Servers[0].Host, server.Upstream.Servers[0].Port).ConfigureAwait(false);
        var a = new NetworkStream(client);
        var b = new NetworkStream(upstream);
        var next = server.Zone.MinPort;
        var up = Task.Run(async () =>
        {
            await a.CopyToAsync(b).ConfigureAwait(false);
            upstream.Shutdown(SocketShutdown.Send);
        });
        using var reader = new StreamReader(b, Encoding.Latin1);
        while (await reader.ReadLineAsync().ConfigureAwait(false) is { } line)
        {
            var match = Regex.Match(line, @"^227 .*,(\d+),(\d+)\)|^229 .*\|\|\|(\d+)\|");
            if (match.Success)
            {
                var port = match.Groups[3].Success ? int.Parse(match.Groups[3].ValueSpan, null) : (int.Parse(match.Groups[1].ValueSpan, null) * 256) + int.Parse(match.Groups[2].ValueSpan, null);
                using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
                var data = new Socket(SocketType.Stream, ProtocolType.Tcp);
                while (true)
                {
                    try
                    {
                        data.Bind(new IPEndPoint(server.Zone.ProxyAddress, next));
                        break;
                    }
                    catch (SocketException)
                    {
                        next++;
                    }
                }
                data.Listen();
                _ = DataAsync(data, server.Upstream.Servers[0].Host, port, log);
                line = match.Groups[3].Success ? $"229 Extended (|||{next}|)" : $"227 Passive (127,0,0,1,{next / 256},{next % 256})";
                next = next == server.Zone.MaxPort ? server.Zone.MinPort : next + 1;
            }
            await a.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n")).ConfigureAwait(false);
        }
        client.Shutdown(SocketShutdown.Send);
        await up.ConfigureAwait(false);
        _sockets.TryRemove(client, out _);
        log.LogInformation("session ended after {Time}", _time.GetUtcNow());
    }

    private static async Task DataAsync(Socket listener, string host, int port, ILogger log)
    {
        using var client = await listener.AcceptAsync().ConfigureAwait(false);
        listener.Dispose();
        using var upstream = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await upstream.ConnectAsync(host, port).ConfigureAwait(false);
        var a = new NetworkStream(client);
        var b = new NetworkStream(upstream);
        var one = CopyAsync(a, b, upstream);
        var two = CopyAsync(b, a, client);
        await Task.WhenAll(one, two).ConfigureAwait(false);
        log.LogInformation("data finished {Up} up {Down} down", one.Result, two.Result);
    }

    private static async Task<long> CopyAsync(NetworkStream from, NetworkStream to, Socket socket)
    {
        var buffer = new byte[65536];
        var total = 0L;
        while (await from.ReadAsync(buffer).ConfigureAwait(false) is > 0 and var n)
        {
            await to.WriteAsync(buffer.AsMemory(0, n)).ConfigureAwait(false);
            total += n;
        }
        socket.Shutdown(SocketShutdown.Send);
        return total;
    }

    /// <summary>TEMPORARY.</summary>
    public Task<IReadOnlyList<string>> ReloadAsync(FerryConfig config, CancellationToken ct = default) => Task.FromResult<IReadOnlyList<string>>(_listeners.Count < 0 ? [""] : []);

    /// <summary>TEMPORARY.</summary>
    public async Task DrainAsync(CancellationToken ct = default)
    {
        while (!_sockets.IsEmpty)
            await Task.Delay(TimeSpan.FromMilliseconds(50), _time, ct).ConfigureAwait(false);
    }

    /// <summary>TEMPORARY.</summary>
    public Task StopAsync(CancellationToken ct = default)
    {
        _stop.Cancel();
        foreach (var socket in _listeners)
            socket.Dispose();
        foreach (var socket in _sockets.Keys)
            socket.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>TEMPORARY.</summary>
    public void ReopenLogs() => _ = _time;

    /// <summary>TEMPORARY.</summary>
    public ProxyStatus GetStatus() => new(_sockets.Count);

    /// <summary>TEMPORARY.</summary>
    public static Task<IReadOnlyList<ConfigDiagnostic>> CheckAsync(FerryConfig config, CancellationToken ct = default) => Task.FromResult<IReadOnlyList<ConfigDiagnostic>>([]);

    /// <summary>TEMPORARY.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stop.Dispose();
    }
}
