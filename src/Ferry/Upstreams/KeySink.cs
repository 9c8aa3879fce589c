using System.Text;

namespace Ferry.Upstreams;

/// <summary>Takes a key in, piece by piece: all of it into a checksum, and as much as there is room for into a buffer.</summary>
internal ref struct KeySink(Span<byte> kept)
{
    private const int CharsAtATime = 64;

    private readonly Span<byte> _kept = kept;
    private uint _crc = Crc32.Start;

    /// <summary>Bytes of the whole key.</summary>
    public long Length { get; private set; }

    /// <summary>The <see cref="Crc32"/> of the whole key.</summary>
    public readonly uint Checksum => Crc32.End(_crc);

    /// <summary>The beginning of the key.</summary>
    public readonly ReadOnlySpan<byte> Kept => _kept[..(int)Math.Min(Length, _kept.Length)];

    public void Append(scoped ReadOnlySpan<byte> bytes)
    {
        _crc = Crc32.Append(_crc, bytes);
        if (Length < _kept.Length)
        {
            var rest = _kept[(int)Length..];
            bytes[..Math.Min(bytes.Length, rest.Length)].CopyTo(rest);
        }
        Length += bytes.Length;
    }

    /// <summary>Appends text as UTF-8.</summary>
    public void Append(scoped ReadOnlySpan<char> text)
    {
        Span<byte> bytes = stackalloc byte[CharsAtATime * 3];
        while (text.Length > 0)
        {
            var count = Math.Min(text.Length, CharsAtATime);
            // The two halves of a character stay together.
            if (count < text.Length && char.IsHighSurrogate(text[count - 1]))
                count--;
            Append(bytes[..Encoding.UTF8.GetBytes(text[..count], bytes)]);
            text = text[count..];
        }
    }
}
