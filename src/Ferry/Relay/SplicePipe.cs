using System.Runtime.InteropServices;
using Ferry.Transport.Linux;
using Microsoft.Win32.SafeHandles;

namespace Ferry.Relay;

/// <summary>A pipe that carries pages from one socket to another; they never enter this process. One pump holds it at a time.</summary>
internal sealed unsafe class SplicePipe : IDisposable
{
    /// <summary>What a process without privileges may ask for (/proc/sys/fs/pipe-max-size), and each size to be content with when its user has many pipes.</summary>
    private static readonly int[] Sizes = [1 << 20, 256 << 10, 64 << 10];

    private readonly SafeFileHandle _readEnd;
    private readonly SafeFileHandle _writeEnd;
    private readonly int _size;

    private SplicePipe(SafeFileHandle readEnd, SafeFileHandle writeEnd, int size)
    {
        _readEnd = readEnd;
        _writeEnd = writeEnd;
        _size = size;
    }

    /// <summary>The bytes inside.</summary>
    public int Count { get; private set; }

    /// <summary>Null where there is none to be had, or only one so small that copying is faster.</summary>
    public static SplicePipe? TryOpen()
    {
        int* ends = stackalloc int[2];
        if (Libc.pipe2(ends, Libc.O_CLOEXEC | Libc.O_NONBLOCK) != 0)
            return null;
        var readEnd = new SafeFileHandle(ends[0], ownsHandle: true);
        var writeEnd = new SafeFileHandle(ends[1], ownsHandle: true);
        foreach (int size in Sizes)
        {
            if (Libc.fcntl(writeEnd, Libc.F_SETPIPE_SZ, size) >= size)
                return new SplicePipe(readEnd, writeEnd, size);
        }
        readEnd.Dispose();
        writeEnd.Dispose();
        return null;
    }

    /// <summary>Takes in what <paramref name="socket"/> has. The pipe must be empty, so that EAGAIN can only mean that the socket is, too.</summary>
    /// <returns>How much; 0 at the end of the stream; else the error, negative.</returns>
    public int Fill(SafeHandle socket)
    {
        int count = Splice(socket, _writeEnd, _size);
        if (count > 0)
            Count = count;
        return count;
    }

    /// <summary>Gives what <paramref name="socket"/> has room for.</summary>
    /// <returns>How much, or the error, negative.</returns>
    public int Drain(SafeHandle socket)
    {
        int count = Splice(_readEnd, socket, Count);
        if (count > 0)
            Count -= count;
        return count;
    }

    /// <summary>Takes bytes out into <paramref name="buffer"/>, at least one.</summary>
    public int Read(Span<byte> buffer)
    {
        while (true)
        {
            nint count;
            fixed (byte* bytes = buffer)
                count = Libc.read(_readEnd, bytes, (nuint)Math.Min(buffer.Length, Count));
            if (count > 0)
            {
                Count -= (int)count;
                return (int)count;
            }
            int error = Marshal.GetLastPInvokeError();
            if (count == 0 || error != Libc.EINTR)
                throw new InvalidOperationException($"A pipe with {Count} bytes in it did not give them: error {error}.");
        }
    }

    public void Dispose()
    {
        _readEnd.Dispose();
        _writeEnd.Dispose();
    }

    private static int Splice(SafeHandle from, SafeHandle to, int count)
    {
        while (true)
        {
            nint moved = Libc.splice(from, null, to, null, (nuint)count, Libc.SPLICE_F_MOVE | Libc.SPLICE_F_NONBLOCK);
            if (moved >= 0)
                return (int)moved;
            int error = Marshal.GetLastPInvokeError();
            if (error != Libc.EINTR)
                return -error;
        }
    }
}
