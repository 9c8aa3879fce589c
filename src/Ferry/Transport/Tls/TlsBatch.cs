using System.Buffers;

namespace Ferry.Transport.Tls;

/// <summary>A block of records on its way to the kernel, in the form that sockets take.</summary>
internal sealed unsafe class TlsBatch : MemoryManager<byte>
{
    private byte* _block;
    private int _length;
    private int _capacity;

    /// <summary>Takes what the wire has gathered.</summary>
    public void TakeFrom(TlsWire* wire)
    {
        _block = wire->Out;
        _length = wire->OutLength;
        _capacity = wire->OutCapacity;
        wire->Out = null;
        wire->OutLength = wire->OutCapacity = 0;
    }

    public void Release()
    {
        TlsBlocks.Return(_block, _capacity);
        _block = null;
        _length = _capacity = 0;
    }

    public override Span<byte> GetSpan() => new(_block, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_block + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing) => Release();
}
