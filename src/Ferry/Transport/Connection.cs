using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

/// <summary>
/// A TCP connection: a non-blocking socket with a place in an <see cref="EventLoop"/>. One reader and one writer at a time, on any threads; any thread may end it.
/// Holds no buffer, and costs its loop nothing while nobody waits.
/// </summary>
internal sealed partial class Connection : IDisposable
{
    private readonly Readiness _readiness;
    private IPEndPoint? _local;
    private int _shut;
    private volatile bool _hasEndedReading;

    /// <param name="handle">Connected and non-blocking; owned.</param>
    /// <param name="remote">The peer.</param>
    public Connection(SafeHandle handle, IPEndPoint remote)
    {
        Handle = handle;
        RemoteEndPoint = remote;
        _readiness = new Readiness(handle);
    }

    /// <summary>For calls to the kernel that are not here.</summary>
    public SafeHandle Handle { get; }

    /// <summary>The peer, as the kernel names it.</summary>
    public IPEndPoint RemoteEndPoint { get; }

    /// <summary>Our end, as the kernel names it.</summary>
    /// <exception cref="SocketException">The kernel cannot tell.</exception>
    /// <exception cref="ObjectDisposedException">It is closed, and was not asked before.</exception>
    public IPEndPoint LocalEndPoint => _local ??= AddressOf(isPeer: false);

    /// <summary>Where waiters go on. Set before the first wait, or without effect.</summary>
    public EventLoop Loop
    {
        get => _readiness.Loop;
        set => _readiness.Loop = value;
    }

    /// <inheritdoc cref="Readiness.WaitReadableAsync"/>
    public ValueTask WaitReadableAsync() => _readiness.WaitReadableAsync();

    /// <inheritdoc cref="Readiness.CancelReading"/>
    public void CancelReading() => _readiness.CancelReading();

    /// <summary>Reads what is there, and never waits.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="error">Success; WouldBlock where nothing is there; or what is wrong.</param>
    /// <returns>How many bytes; 0 with Success at the end of the stream.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public int Receive(Span<byte> buffer, out SocketError error) => Receive(buffer, 0, out error);

    /// <summary>Looks at what is there, which stays there for the next <see cref="Receive(Span{byte}, out SocketError)"/>, and never waits.</summary>
    /// <inheritdoc cref="Receive(Span{byte}, out SocketError)" path="/*[not(self::summary)]"/>
    public int Peek(Span<byte> buffer, out SocketError error) => Receive(buffer, Libc.MSG_PEEK, out error);

    private unsafe int Receive(Span<byte> buffer, int flags, out SocketError error)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var count = (int)Libc.recv(Handle, bytes, (nuint)buffer.Length, Libc.MSG_DONTWAIT | flags);
                if (count >= 0)
                {
                    error = SocketError.Success;
                    return count;
                }
                if (IsFailure(out error))
                    return 0;
            }
        }
    }

    /// <summary>Sends what the kernel takes, and never waits.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="error">Success; WouldBlock where the kernel takes nothing; or what is wrong.</param>
    /// <param name="isUrgent">The last byte is urgent (MSG_OOB).</param>
    /// <returns>How many bytes the kernel has taken.</returns>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public unsafe int Send(ReadOnlySpan<byte> bytes, out SocketError error, bool isUrgent = false)
    {
        fixed (byte* start = bytes)
        {
            while (true)
            {
                var count = (int)Libc.send(Handle, start, (nuint)bytes.Length, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL | (isUrgent ? Libc.MSG_OOB : 0));
                if (count >= 0)
                {
                    error = SocketError.Success;
                    return count;
                }
                if (IsFailure(out error))
                    return 0;
            }
        }
    }

    /// <summary>Sends all; returns when the kernel has it.</summary>
    /// <exception cref="SocketException">The connection failed.</exception>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, bool isUrgent = false)
    {
        if (bytes.IsEmpty)
            return ValueTask.CompletedTask;
        var sent = Send(bytes.Span, out var error, isUrgent);
        if (error is not (SocketError.Success or SocketError.WouldBlock))
            return ValueTask.FromException(new SocketException((int)error));
        return sent == bytes.Length ? ValueTask.CompletedTask : SendRestAsync(bytes[sent..], isUrgent);
    }

    /// <summary>Whether the kernel would take bytes now.</summary>
    public bool HasRoom() => (Poll(Libc.POLLOUT) & Libc.POLLOUT) != 0;

    /// <summary>Whether a FIN or a reset has come, or it is closed. Reading would tell of it only behind all that came before.</summary>
    public bool HasHungUp() => Poll(Libc.POLLRDHUP) != 0;

    /// <inheritdoc cref="Readiness.WaitWritableAsync"/>
    public ValueTask WaitWritableAsync() => _readiness.WaitWritableAsync();

    /// <summary>We have ended the peer's direction. That the kernel answers what still comes with a reset is no failure then.</summary>
    public bool HasEndedReading => _hasEndedReading;

    /// <summary>Ends our direction, the peer's, or both. Waits in that direction end.</summary>
    /// <returns>False where the connection is gone already.</returns>
    public bool TryShutdown(SocketShutdown how)
    {
        // Each end is told once.
        var wanted = how switch { SocketShutdown.Receive => 1, SocketShutdown.Send => 2, _ => 3 };
        if ((Volatile.Read(ref _shut) & wanted) == wanted)
            return true;
        try
        {
            if (how != SocketShutdown.Send)
                _hasEndedReading = true; // before the call: who is woken by it is to know
            if (Libc.shutdown(Handle, (int)how) != 0)
                return false;
            Interlocked.Or(ref _shut, wanted);
            return true;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Closes it as an abort: the peer gets RST and never FIN. Ends every wait; may be called again.</summary>
    public unsafe void Abort()
    {
        _readiness.Close();
        try
        {
            // Dissolves the connection (connect(2), AF_UNSPEC): RST goes out at once, whoever is inside a call meanwhile.
            var nobody = stackalloc byte[NativeAddress.LengthOfIPv4];
            new Span<byte>(nobody, NativeAddress.LengthOfIPv4).Clear();
            if (Libc.connect(Handle, nobody, NativeAddress.LengthOfIPv4) != 0)
            {
                var linger = stackalloc int[2] { 1, 0 };
                _ = Libc.setsockopt(Handle, Libc.SOL_SOCKET, Libc.SO_LINGER, linger, 2 * sizeof(int));
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed before.
        }
        Handle.Dispose();
    }

    /// <summary>Closes it. Ends every wait with <see cref="ObjectDisposedException"/>.</summary>
    public void Dispose()
    {
        _readiness.Close();
        Handle.Dispose();
    }

    /// <summary>What .NET calls an error of the kernel's.</summary>
    internal static SocketError ErrorOf(int errno)
    {
        Marshal.SetLastPInvokeError(errno);
        return new SocketException().SocketErrorCode;
    }

    /// <summary>Asks the kernel, and waits for nothing.</summary>
    private unsafe short Poll(short events)
    {
        var asked = new Libc.PollDescriptor { Events = events };
        var held = false;
        try
        {
            Handle.DangerousAddRef(ref held);
            asked.Descriptor = (int)Handle.DangerousGetHandle();
            return Libc.poll(&asked, 1, 0) == 1 ? asked.Returned : (short)0;
        }
        catch (ObjectDisposedException)
        {
            return Libc.POLLHUP;
        }
        finally
        {
            if (held)
                Handle.DangerousRelease();
        }
    }

    /// <summary>After a call that failed: false where it is to be made again.</summary>
    private static bool IsFailure(out SocketError error)
    {
        var errno = Marshal.GetLastPInvokeError();
        error = errno == Libc.EAGAIN ? SocketError.WouldBlock : ErrorOf(errno);
        return errno != Libc.EINTR;
    }

    private async ValueTask SendRestAsync(ReadOnlyMemory<byte> bytes, bool isUrgent)
    {
        while (true)
        {
            await WaitWritableAsync().ConfigureAwait(false);
            var sent = Send(bytes.Span, out var error, isUrgent);
            if (error is not (SocketError.Success or SocketError.WouldBlock))
                throw new SocketException((int)error);
            if (sent == bytes.Length)
                return;
            bytes = bytes[sent..];
        }
    }
}
