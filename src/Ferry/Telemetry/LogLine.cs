using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Ferry.Telemetry;

/// <summary>The bytes of a line in the making, in a buffer that its thread keeps for the next line.</summary>
internal sealed class LogLine : IBufferWriter<byte>, IDisposable
{
    private const int KeptBuffer = 16 * 1024;

    // Relaxed leaves UTF-8 and harmless signs readable, and still escapes every control, format and separator character: no value can end its line.
    private static readonly JsonWriterOptions JsonOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [ThreadStatic]
    private static LogLine? _spare;

    private byte[] _bytes = new byte[1024];
    private Utf8JsonWriter? _json;

    private LogLine()
    {
    }

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>An empty line; the caller disposes of it. A line begun while another is being made (a value that logs when it is formatted) gets its own buffer.</summary>
    public static LogLine Rent()
    {
        var line = _spare ?? new LogLine();
        _spare = null;
        line.Length = 0;
        return line;
    }

    /// <summary>A JSON writer at the end of the line.</summary>
    public Utf8JsonWriter Json
    {
        get
        {
            if (_json is null)
                _json = new Utf8JsonWriter(this, JsonOptions);
            else
                _json.Reset(this);
            return _json;
        }
    }

    public LogLine Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(GetSpan(bytes.Length));
        Length += bytes.Length;
        return this;
    }

    public LogLine Add(byte value)
    {
        GetSpan(1)[0] = value;
        Length++;
        return this;
    }

    /// <summary>Text that nobody outside had a hand in.</summary>
    public LogLine Add(ReadOnlySpan<char> trusted)
    {
        Length += Encoding.UTF8.GetBytes(trusted, GetSpan(Encoding.UTF8.GetMaxByteCount(trusted.Length)));
        return this;
    }

    public LogLine Add<T>(T value, ReadOnlySpan<char> format = default) where T : IUtf8SpanFormattable
    {
        int written;
        for (var room = 32; !value.TryFormat(GetSpan(room), out written, format, System.Globalization.CultureInfo.InvariantCulture); room *= 2)
        {
        }
        Length += written;
        return this;
    }

    /// <summary>Takes back everything behind <paramref name="length"/>.</summary>
    public void Cut(int length) => Length = length;

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(Length);
    }

    public void Dispose()
    {
        if (_bytes.Length <= KeptBuffer)
            _spare = this;
    }

    private void Reserve(int count)
    {
        var wanted = Length + Math.Max(count, 1);
        if (wanted > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(wanted, _bytes.Length * 2));
    }
}
