using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Ferry.Tests.Transport.Dns;

namespace Ferry.FunctionalTests.Harness;

/// <summary>A question that has come to a name server.</summary>
internal sealed record NameQuestion(string Name, int Type, bool IsTcp, byte[] Bytes)
{
    public const int A = 1;
    public const int Aaaa = 28;
    public const int Srv = 33;

    /// <summary>An answer with these flags, to be filled.</summary>
    public DnsBytes Answer(int flags = 0x8180) => new(Bytes, flags);
}

/// <summary>A name server on 127.0.0.1, UDP and TCP, that says what a test wants it to.</summary>
internal sealed class ScriptedNameServer : IAsyncDisposable
{
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task[] _running;
    private volatile Func<NameQuestion, IEnumerable<byte[]>> _script;

    /// <param name="script">The messages to send for a question; none is silence.</param>
    public ScriptedNameServer(Func<NameQuestion, IEnumerable<byte[]>> script)
    {
        _script = script;
        // A port of the kernel's choice is free for one of the two only.
        EndPoint = new IPEndPoint(IPAddress.Loopback, FreePorts.One());
        _udp.Bind(EndPoint);
        _tcp.Bind(EndPoint);
        _tcp.Listen();
        _running = [ServeUdpAsync(), ServeTcpAsync()];
    }

    public IPEndPoint EndPoint { get; }

    public ConcurrentQueue<NameQuestion> Questions { get; } = [];

    /// <summary>Where each question came from.</summary>
    public ConcurrentQueue<int> Ports { get; } = [];

    public void Use(Func<NameQuestion, IEnumerable<byte[]>> script) => _script = script;

    /// <summary>Answers with these A records, and with nothing to other questions.</summary>
    public static Func<NameQuestion, IEnumerable<byte[]>> Addresses(string[] addresses, int ttl = 60) => q =>
    {
        var answer = q.Answer();
        foreach (var address in q.Type == NameQuestion.A ? addresses : [])
            answer.A(q.Name, address, ttl);
        return [answer.ToArray()];
    };

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ServeUdpAsync()
    {
        var buffer = new byte[512];
        while (true)
        {
            var got = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
            Ports.Enqueue(((IPEndPoint)got.RemoteEndPoint).Port);
            foreach (var message in _script(Note(buffer.AsSpan(0, got.ReceivedBytes), false)))
                await _udp.SendToAsync(message, SocketFlags.None, got.RemoteEndPoint, _stop.Token);
        }
    }

    private async Task ServeTcpAsync()
    {
        while (true)
        {
            using var client = await _tcp.AcceptAsync(_stop.Token);
            client.NoDelay = true;
            var head = new byte[2];
            var got = 0;
            while (got < 2)
                got += await client.ReceiveAsync(head.AsMemory(got), _stop.Token);
            var question = new byte[BinaryPrimitives.ReadUInt16BigEndian(head)];
            for (got = 0; got < question.Length;)
                got += await client.ReceiveAsync(question.AsMemory(got), _stop.Token);
            // Each piece by itself, so that a script may cut where it likes.
            foreach (var piece in _script(Note(question, true)))
                await client.SendAsync(piece, _stop.Token);
        }
    }

    private NameQuestion Note(ReadOnlySpan<byte> message, bool isTcp)
    {
        var (name, type) = DnsBytes.Question(message);
        var question = new NameQuestion(name, type, isTcp, message.ToArray());
        Questions.Enqueue(question);
        return question;
    }
}
