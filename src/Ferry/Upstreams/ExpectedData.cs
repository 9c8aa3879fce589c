using System.Text;
using Ferry.Config;

namespace Ferry.Upstreams;

/// <summary>Looks at the bytes of a listing or a file, piece by piece, for what they should be.</summary>
/// <param name="text">What must be in it; null: nothing.</param>
/// <param name="size">How many bytes it must have; null: any number.</param>
internal sealed class ExpectedData(string? text, long? size)
{
    private readonly byte[] _text = Encoding.UTF8.GetBytes(text ?? "");
    private byte[] _tail = [];
    private long _size;
    private bool _isFound = text is null;

    /// <summary>What is not as it should be, at the end; null where all is.</summary>
    public string? Missing => !_isFound ? "what it sent does not hold the expected text"
        : size is { } bytes && bytes != _size ? $"it sent {_size} bytes, and {bytes} were expected"
        : null;

    /// <summary>Takes the next piece; false where that is too much.</summary>
    public bool TryTake(ReadOnlySpan<byte> piece)
    {
        _size += piece.Length;
        if (_size > HealthDraft.MostData)
            return false;
        if (_isFound)
            return true;
        // The text may begin in one piece and end in the next.
        byte[] seen = [.. _tail, .. piece];
        _isFound = seen.AsSpan().IndexOf(_text) >= 0;
        _tail = seen[Math.Max(0, seen.Length - (_text.Length - 1))..];
        return true;
    }
}
