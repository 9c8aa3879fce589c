using System.Buffers.Binary;
using System.IO;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>
/// A socket as a stream that gives TLS records one by one, so that what comes in clear behind the last record stays in the socket (CCC),
/// and the end of the socket is told apart from the end of TLS.
/// <code>
///     record: type(1) version(2) length(2) fragment(length)      RFC 8446 §5.1
/// </code>
/// </summary>
internal sealed class RecordStream(Socket socket) : Stream
{
    private const int HeaderLength = 5;

    private readonly byte[] _header = new byte[HeaderLength];
    private int _headerRead;
    private int _headerGiven;
    private int _fragmentLeft;

    /// <summary>The other end has closed its direction of the connection.</summary>
    public bool Ended { get; private set; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // SslStream first asks for no bytes, to learn when there are some.
        if (buffer.Length == 0)
            return 0;
        if (_fragmentLeft == 0 && _headerGiven == 0)
        {
            while (_headerRead < HeaderLength)
            {
                var got = await socket.ReceiveAsync(_header.AsMemory(_headerRead), cancellationToken);
                Ended = got == 0;
                if (Ended)
                    return 0;
                _headerRead += got;
            }
        }
        if (_headerGiven < HeaderLength)
        {
            var given = Math.Min(buffer.Length, HeaderLength - _headerGiven);
            _header.AsMemory(_headerGiven, given).CopyTo(buffer);
            _headerGiven += given;
            if (_headerGiven == HeaderLength)
                StartFragment(BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(3)));
            return given;
        }
        var read = await socket.ReceiveAsync(buffer[..Math.Min(buffer.Length, _fragmentLeft)], cancellationToken);
        Ended = read == 0;
        StartFragment(_fragmentLeft - read);
        return read;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
            buffer = buffer[await socket.SendAsync(buffer, cancellationToken)..];
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>So much of a fragment is still to come; at none, the next header is.</summary>
    private void StartFragment(int left)
    {
        _fragmentLeft = left;
        if (left == 0)
            _headerRead = _headerGiven = 0;
    }
}
