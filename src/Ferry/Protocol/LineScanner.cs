using System.Buffers;

namespace Ferry.Protocol;

/// <summary>
/// Finds the lines of a control channel (RFC 959 §4: a line ends with CRLF; a bare LF is taken too, as every server does).
/// <code>
///   N O O P CR LF U S E R ...
///   \_line_/ \__/
///   \_consumed__/
/// </code>
/// </summary>
internal static class LineScanner
{
    /// <summary>Longest line of either side in bytes, its end included. Python's ftplib has the same bound; vsftpd takes 4096.</summary>
    public const int MaxLine = 8192;

    /// <summary>Takes the first line off <paramref name="input"/>.</summary>
    /// <param name="input">What has arrived and was not consumed.</param>
    /// <param name="line">The line without its end.</param>
    /// <param name="consumed">Bytes that the line takes with its end; 0 unless the result is Done.</param>
    /// <returns>Done; NeedMoreData; InvalidData where <see cref="MaxLine"/> bytes hold no end of line.</returns>
    public static OperationStatus TryRead(ReadOnlySpan<byte> input, out ReadOnlySpan<byte> line, out int consumed)
    {
        var window = input.Length > MaxLine ? input[..MaxLine] : input;
        var end = window.IndexOf((byte)'\n');
        if (end < 0)
        {
            line = default;
            consumed = 0;
            return window.Length < MaxLine ? OperationStatus.NeedMoreData : OperationStatus.InvalidData;
        }
        consumed = end + 1;
        line = end > 0 && window[end - 1] == '\r' ? window[..(end - 1)] : window[..end];
        return OperationStatus.Done;
    }
}
