using System.Globalization;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Sessions;

/// <summary>A service on loopback that answers each POST with whatever bytes the test gives it.</summary>
internal sealed class ScriptedHttp : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<string, Task<string>> _answer;
    private readonly TestCertificate? _certificate;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(string Head, string Body)> _requests = [];
    private readonly List<Task> _tasks = [];
    private int _connections;

    /// <param name="answer">Makes the whole answer, head and all, from a question's body. An empty one closes the connection, "[reset]" resets it.</param>
    /// <param name="certificate">For https; null: http.</param>
    public ScriptedHttp(Func<string, Task<string>> answer, TestCertificate? certificate = null)
    {
        (_answer, _certificate) = (answer, certificate);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(100);
        _tasks.Add(AcceptAsync());
    }

    public ScriptedHttp(Func<string, string> answer, TestCertificate? certificate = null)
        : this(body => Task.FromResult(answer(body)), certificate)
    {
    }

    public Uri Url => new($"{(_certificate is null ? "http" : "https")}://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}/ftp?key=hidden");

    /// <summary>How often somebody has connected.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public IReadOnlyList<(string Head, string Body)> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public static string Ok(string json, string head = "") => Answer("200 OK", json, head);

    public static string Answer(string status, string body = "", string head = "") =>
        string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{head}\r\n{body}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        Task[] tasks;
        lock (_requests)
            tasks = [.. _tasks];
        await Wait.For(Task.WhenAll(tasks), "the service to stop");
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                lock (_requests)
                    _tasks.Add(ServeAsync(socket));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            if (_certificate is null)
            {
                await ServeAsync(stream);
                return;
            }
            await using var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate.Certificate }, _stop.Token);
            await ServeAsync(tls);
        }
        catch (Exception e) when (e is OperationCanceledException or System.IO.IOException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            // Ferry has left, or the test is over.
        }
    }

    private async Task ServeAsync(System.IO.Stream stream)
    {
        var bytes = new List<byte>();
        var buffer = new byte[4096];
        while (true)
        {
            var text = Encoding.UTF8.GetString([.. bytes]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            var length = end < 0 ? 0 : int.Parse(text[..end].Split("\r\n").Single(static l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))[15..], CultureInfo.InvariantCulture);
            if (end < 0 || bytes.Count < end + 4 + length)
            {
                var read = await stream.ReadAsync(buffer, _stop.Token);
                if (read == 0)
                    return;
                bytes.AddRange(buffer[..read]);
                continue;
            }
            var body = Encoding.UTF8.GetString([.. bytes.Skip(end + 4).Take(length)]);
            bytes.Clear();
            lock (_requests)
                _requests.Add((text[..end], body));
            var answer = await _answer(body).WaitAsync(_stop.Token);
            if (answer == "[reset]" && stream is NetworkStream plain)
                plain.Socket.LingerState = new LingerOption(true, 0);
            if (answer is "" or "[reset]")
                return;
            await stream.WriteAsync(Encoding.UTF8.GetBytes(answer), _stop.Token);
            if (answer.EndsWith("[close]", StringComparison.Ordinal))
                return;
        }
    }
}
