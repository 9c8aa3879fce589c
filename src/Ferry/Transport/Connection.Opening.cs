using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Ferry.Transport.Linux;

namespace Ferry.Transport;

// How a connection comes about, and its options.
internal sealed partial class Connection
{
    /// <summary>A socket that is not connected yet. For <see cref="ConnectAsync"/>.</summary>
    /// <exception cref="SocketException">There are no descriptors or no memory left.</exception>
    public static Connection Open(IPEndPoint remote, EventLoop? loop)
    {
        var family = remote.AddressFamily == AddressFamily.InterNetworkV6 ? Libc.AF_INET6 : Libc.AF_INET;
        var descriptor = Libc.socket(family, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, Libc.IPPROTO_TCP);
        if (descriptor < 0)
            throw new SocketException();
        var connection = new Connection(new SafeSocket(descriptor), remote);
        if (loop is not null)
            connection.Loop = loop;
        return connection;
    }

    /// <summary>A connection that stands already.</summary>
    /// <param name="handle">A connected socket; owned.</param>
    /// <exception cref="SocketException">The peer has gone.</exception>
    public static Connection Of(SafeHandle handle)
    {
        if (Libc.fcntl(handle, Libc.F_SETFL, Libc.fcntl(handle, Libc.F_GETFL, 0) | Libc.SOCK_NONBLOCK) < 0)
            throw new SocketException();
        return new Connection(handle, AddressOf(handle, isPeer: true));
    }

    /// <summary>Takes a connection from a listening socket.</summary>
    /// <returns>Null where there is none, with <paramref name="error"/> WouldBlock; or what is wrong.</returns>
    public static unsafe Connection? TryAccept(SafeHandle listener, out SocketError error)
    {
        var address = stackalloc byte[NativeAddress.LengthOfIPv6];
        var length = (uint)NativeAddress.LengthOfIPv6;
        var descriptor = Libc.accept4(listener, address, &length, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
        if (descriptor < 0)
        {
            error = IsFailure(out var failure) ? failure : SocketError.WouldBlock;
            return null;
        }
        error = SocketError.Success;
        return new Connection(new SafeSocket(descriptor), NativeAddress.Read(new ReadOnlySpan<byte>(address, (int)length))!);
    }

    /// <summary>Binds it to a local end point.</summary>
    public unsafe SocketError Bind(IPEndPoint local)
    {
        var address = stackalloc byte[NativeAddress.LengthOfIPv6];
        var length = NativeAddress.Write(local, new Span<byte>(address, NativeAddress.LengthOfIPv6));
        return Libc.bind(Handle, address, (uint)length) == 0 ? SocketError.Success : ErrorOf(Marshal.GetLastPInvokeError());
    }

    /// <summary>Connects to <see cref="RemoteEndPoint"/>.</summary>
    /// <param name="ct">Ends the attempt, and the connection with it.</param>
    /// <returns>Success; TimedOut where <paramref name="ct"/> ended it; or what is wrong. The connection is to be disposed all the same.</returns>
    public async ValueTask<SocketError> ConnectAsync(CancellationToken ct)
    {
        if (ct.IsCancellationRequested)
            return SocketError.TimedOut;
        var begun = BeginConnecting();
        if (begun != SocketError.InProgress)
            return begun;
        try
        {
            using (ct.UnsafeRegister(static connection => ((Connection)connection!).Dispose(), this))
                await WaitWritableAsync().ConfigureAwait(false);
            return ct.IsCancellationRequested ? SocketError.TimedOut : Result();
        }
        catch (ObjectDisposedException)
        {
            return SocketError.TimedOut;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    /// <summary>Sets an option of int's size.</summary>
    /// <returns>False where the kernel does not know it, or the connection is gone.</returns>
    public unsafe bool TrySet(int level, int option, int value)
    {
        try
        {
            return Libc.setsockopt(Handle, level, option, &value, sizeof(int)) == 0;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    /// <summary>Whether the kernel has given the connection up, which a read after it may show as a plain end of stream.</summary>
    public unsafe bool IsGone()
    {
        const byte TCP_CLOSE = 7;
        byte state;
        uint length = 1;
        try
        {
            return Libc.getsockopt(Handle, Libc.IPPROTO_TCP, Libc.TCP_INFO, &state, &length) != 0 || state == TCP_CLOSE;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private static unsafe IPEndPoint AddressOf(SafeHandle handle, bool isPeer)
    {
        var address = stackalloc byte[NativeAddress.LengthOfIPv6];
        var length = (uint)NativeAddress.LengthOfIPv6;
        var result = isPeer ? Libc.getpeername(handle, address, &length) : Libc.getsockname(handle, address, &length);
        if (result != 0)
            throw new SocketException();
        return NativeAddress.Read(new ReadOnlySpan<byte>(address, (int)length)) ?? throw new SocketException((int)SocketError.AddressFamilyNotSupported);
    }

    private IPEndPoint AddressOf(bool isPeer) => AddressOf(Handle, isPeer);

    private unsafe SocketError BeginConnecting()
    {
        var address = stackalloc byte[NativeAddress.LengthOfIPv6];
        var length = NativeAddress.Write(RemoteEndPoint, new Span<byte>(address, NativeAddress.LengthOfIPv6));
        if (Libc.connect(Handle, address, (uint)length) == 0)
            return SocketError.Success;
        var errno = Marshal.GetLastPInvokeError();
        return errno is Libc.EINPROGRESS or Libc.EINTR ? SocketError.InProgress : ErrorOf(errno);
    }

    private unsafe SocketError Result()
    {
        int errno;
        uint length = sizeof(int);
        if (Libc.getsockopt(Handle, Libc.SOL_SOCKET, Libc.SO_ERROR, &errno, &length) != 0)
            errno = Marshal.GetLastPInvokeError();
        return errno == 0 ? SocketError.Success : ErrorOf(errno);
    }
}
