using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>Blocks outside the managed heap for records on their way out. Large ones are kept for the next batch; small ones, of control channels, are the allocator's.</summary>
internal static unsafe class TlsBlocks
{
    /// <summary>The most bytes encrypted in one batch.</summary>
    public const int BatchSize = 512 * 1024;

    private const int RecordSize = 16 * 1024;

    // SSL3_RT_MAX_ENCRYPTED_OVERHEAD and the header.
    private const int MostOverhead = 325;

    /// <summary>A batch with the header, nonce, padding and tag of each of its records, of which the peer's may have been smaller than ours could be.</summary>
    public const int LargeSize = BatchSize + (BatchSize / RecordSize + 1) * MostOverhead;

    private const int SmallSize = 32 * 1024;
    private const int MostAtRest = 16;

    private static readonly Lock Gate = new();
    private static readonly nint[] AtRest = new nint[MostAtRest];
    private static int _atRest;

    /// <summary>What the records of so many bytes take beside them, at most.</summary>
    public static int OverheadOf(int count) => ((count / RecordSize) + 1) * MostOverhead;

    public static byte* Rent(int needed, out int capacity)
    {
        if (needed is <= SmallSize or > LargeSize)
        {
            capacity = Math.Max(needed, 512);
            return (byte*)NativeMemory.Alloc((nuint)capacity);
        }
        capacity = LargeSize;
        lock (Gate)
        {
            if (_atRest > 0)
                return (byte*)AtRest[--_atRest];
        }
        return (byte*)NativeMemory.Alloc(LargeSize);
    }

    public static void Return(byte* block, int capacity)
    {
        if (block == null)
            return;
        if (capacity == LargeSize)
        {
            lock (Gate)
            {
                if (_atRest < MostAtRest)
                {
                    AtRest[_atRest++] = (nint)block;
                    return;
                }
            }
        }
        NativeMemory.Free(block);
    }
}
