using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ferry.Transport.Linux;

namespace Ferry.Transport.Tls;

/// <summary>
/// What stands between an SSL and its socket. OpenSSL reads from the socket through it; what OpenSSL writes is gathered, to go out in one send.
/// Lives outside the managed heap, because OpenSSL keeps its address.
/// <code>
///   socket ──recv, many records──> In ──one by one──> SSL ──records──> Out ──send, whole──> socket
/// </code>
/// </summary>
internal unsafe struct TlsWire
{
    private const int MostGrowth = 1 << 20;

    private static readonly nint Method = NewMethod();

    /// <summary>OpenSSL tells three or four steps for each message (SSL_CTX_set_info_callback(3)). Others end a connection after 16 (Go) or 32 messages (BoringSSL).</summary>
    public const int MostMessages = 128;

    /// <summary>The socket's descriptor, for the length of one call; -1 between calls.</summary>
    public int Socket;

    /// <summary>errno of the read that failed; 0 where none did.</summary>
    public int Error;

    /// <summary>The peer's FIN was read.</summary>
    public bool IsEnded;

    /// <summary>
    /// What is read from the socket at once. OpenSSL takes from <see cref="In"/> the header and the body of each record, and no byte more: what stands behind
    /// the last record is not lost in it (CCC). Its own read-ahead would move all that it holds once for each record.
    /// </summary>
    public int InSize;

    /// <summary>Bytes that may still be read in this call: a peer that sends without end must not keep the thread.</summary>
    public int Budget;

    /// <summary>What the peer began with; 0 before.</summary>
    public byte First;

    public byte* In;
    public int InCapacity;
    public int InStart;
    public int InEnd;

    public byte* Out;
    public int OutLength;
    public int OutCapacity;

    /// <summary>The last read of this call got less than it had room for: there is no more, and one more call to be told so is saved.</summary>
    public bool IsDrained;

    /// <summary>Steps of messages that are TLS's own (KeyUpdate, tickets, wishes to renegotiate) since the last byte of the stream.</summary>
    public int Messages;

    private bool _retries;

    /// <summary>Bytes received from the socket and not seen by OpenSSL.</summary>
    public readonly ReadOnlySpan<byte> Unread => new(In + InStart, InEnd - InStart);

    public static nint NewBio(TlsWire* wire)
    {
        var bio = OpenSsl.BIO_new(Method);
        if (bio == 0)
            throw new InsufficientMemoryException("OpenSSL has no memory.");
        OpenSsl.BIO_set_data(bio, wire);
        OpenSsl.BIO_set_init(bio, 1);
        return bio;
    }

    /// <summary>Makes room for <paramref name="count"/> more bytes of output.</summary>
    public void Reserve(int count)
    {
        var needed = OutLength + count;
        if (needed <= OutCapacity)
            return;
        // Twice as much each time, or a flood of small answers would be copied once for each of them.
        var block = TlsBlocks.Rent(Math.Max(needed, Math.Min(OutCapacity * 2, MostGrowth)), out var capacity);
        new ReadOnlySpan<byte>(Out, OutLength).CopyTo(new Span<byte>(block, capacity));
        TlsBlocks.Return(Out, OutCapacity);
        Out = block;
        OutCapacity = capacity;
    }

    /// <summary>The next byte that OpenSSL would be given; -1 where none has come.</summary>
    public readonly int Peek()
    {
        if (InEnd > InStart)
            return In[InStart];
        byte next;
        return Libc.recv(Socket, &next, 1, Libc.MSG_DONTWAIT | Libc.MSG_PEEK) == 1 ? next : -1;
    }

    public void DropOutput()
    {
        TlsBlocks.Return(Out, OutCapacity);
        Out = null;
        OutLength = OutCapacity = 0;
    }

    public void Free()
    {
        TlsBlocks.Return(In, InCapacity);
        In = null;
        InStart = InEnd = 0;
        DropOutput();
    }

    private static nint NewMethod()
    {
        var method = OpenSsl.BIO_meth_new(OpenSsl.BIO_get_new_index() | OpenSsl.BIO_TYPE_SOURCE_SINK, "ferry socket");
        if (method == 0)
            throw new InsufficientMemoryException("OpenSSL has no memory.");
        _ = OpenSsl.BIO_meth_set_write(method, &Write);
        _ = OpenSsl.BIO_meth_set_read(method, &Read);
        _ = OpenSsl.BIO_meth_set_ctrl(method, &Control);
        return method;
    }

    [UnmanagedCallersOnly]
    private static int Write(nint bio, byte* bytes, int count)
    {
        var wire = OpenSsl.BIO_get_data(bio);
        wire->Reserve(count);
        new ReadOnlySpan<byte>(bytes, count).CopyTo(new Span<byte>(wire->Out + wire->OutLength, count));
        wire->OutLength += count;
        return count;
    }

    [UnmanagedCallersOnly]
    private static int Read(nint bio, byte* bytes, int count)
    {
        var wire = OpenSsl.BIO_get_data(bio);
        if (wire->_retries)
        {
            OpenSsl.BIO_clear_flags(bio, OpenSsl.BIO_FLAGS_READ | OpenSsl.BIO_FLAGS_SHOULD_RETRY);
            wire->_retries = false;
        }
        int received;
        if (wire->InEnd > wire->InStart)
        {
            received = wire->TakeUnread(bytes, count);
        }
        else if (count < wire->InSize)
        {
            if (wire->In == null)
                wire->In = TlsBlocks.Rent(wire->InSize, out wire->InCapacity);
            received = wire->Receive(wire->In, wire->InSize);
            if (received > 0)
            {
                wire->InEnd = received;
                received = wire->TakeUnread(bytes, count);
            }
        }
        else
        {
            received = wire->Receive(bytes, count);
        }
        if (received < 0)
        {
            wire->ReleaseInput();
            if (wire->Error == 0)
            {
                OpenSsl.BIO_set_flags(bio, OpenSsl.BIO_FLAGS_READ | OpenSsl.BIO_FLAGS_SHOULD_RETRY);
                wire->_retries = true;
            }
        }
        return received;
    }

    [UnmanagedCallersOnly]
    private static nint Control(nint bio, int command, nint number, nint pointer) => command switch
    {
        OpenSsl.BIO_CTRL_FLUSH => 1,
        _ => 0, // the end of input among them (BIO_CTRL_EOF)
    };

    /// <summary>One of TLS's own messages costs hundreds of times what its bytes do, and OpenSSL goes through all that it holds in a single call.</summary>
    [UnmanagedCallersOnly]
    public static void CountMessage(nint ssl, int where, int result)
    {
        if ((where & OpenSsl.SSL_CB_LOOP) == 0)
            return;
        var wire = OpenSsl.BIO_get_data(OpenSsl.SSL_get_rbio(ssl));
        if (++wire->Messages > MostMessages)
            OpenSsl.SSL_set_shutdown(ssl, OpenSsl.SSL_get_shutdown(ssl) | OpenSsl.SSL_RECEIVED_SHUTDOWN); // there is no other way to have it stop
    }

    private int TakeUnread(byte* bytes, int count)
    {
        var taken = Math.Min(count, InEnd - InStart);
        Unsafe.CopyBlockUnaligned(bytes, In + InStart, (uint)taken);
        InStart += taken;
        if (InStart == InEnd)
            InStart = InEnd = 0;
        return taken;
    }

    /// <returns>The count; -1 where nothing is there, with <see cref="IsEnded"/> at the end, with <see cref="Error"/> set where it failed.</returns>
    private int Receive(byte* bytes, int count)
    {
        if (Budget <= 0 || IsEnded || IsDrained)
            return -1;
        var received = (int)Libc.recv(Socket, bytes, (nuint)count, Libc.MSG_DONTWAIT);
        if (received > 0)
        {
            Budget -= received;
            IsDrained = received < count;
            if (First == 0)
                First = *bytes;
            return received;
        }
        if (received == 0)
        {
            IsEnded = true;
            return -1;
        }
        var error = Marshal.GetLastPInvokeError();
        if (error is not (Libc.EAGAIN or Libc.EINTR))
            Error = error;
        return -1;
    }

    /// <summary>A channel that waits holds no buffer.</summary>
    private void ReleaseInput()
    {
        if (InEnd > InStart)
            return;
        TlsBlocks.Return(In, InCapacity);
        In = null;
    }
}
