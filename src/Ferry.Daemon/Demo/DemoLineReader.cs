using System.Net.Sockets;
using System.Text;

namespace Ferry.Daemon.Demo;

/// <summary>What a client sent on its control channel.</summary>
/// <param name="Text">The line without its end; empty where it is too long or no UTF-8.</param>
/// <param name="Problem">The reply to a line that is no command; null where it is one.</param>
internal readonly record struct DemoLine(string Text, string? Problem = null);

/// <summary>Reads command lines, each at most <see cref="MaxLength"/> bytes, and takes Telnet's commands out of them (RFC 854, RFC 959 §4.1.3).</summary>
internal sealed class DemoLineReader(Socket socket)
{
    public const int MaxLength = 4096;
    private const byte Iac = 255;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly byte[] _input = new byte[MaxLength];
    private readonly byte[] _line = new byte[MaxLength];
    private int _next;
    private int _end;
    private int _length;
    private bool _tooLong;
    private bool _afterIac;
    private int _skip;

    /// <summary>The next line; null at the end of the client's stream.</summary>
    public async Task<DemoLine?> ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            while (_next < _end)
            {
                if (Take(_input[_next++]) is { } line)
                    return line;
            }
            _next = 0;
            _end = await socket.ReceiveAsync(_input, SocketFlags.None, ct).ConfigureAwait(false);
            if (_end == 0)
                return null;
        }
    }

    private DemoLine? Take(byte value)
    {
        if (_skip > 0)
        {
            _skip--;
            return null;
        }
        if (_afterIac)
        {
            _afterIac = false;
            // WILL, WONT, DO, DONT take an option with them; IAC IAC is a byte 255; IP, DM and the others stand alone.
            if (value is >= 251 and <= 254)
                _skip = 1;
            if (value != Iac)
                return null;
        }
        else if (value == Iac)
        {
            _afterIac = true;
            return null;
        }
        else if (value == '\n')
        {
            return Finish();
        }

        if (_length == MaxLength)
            _tooLong = true;
        else
            _line[_length++] = value;
        return null;
    }

    private DemoLine Finish()
    {
        var bytes = _line.AsSpan(0, _length);
        var tooLong = _tooLong;
        _length = 0;
        _tooLong = false;
        if (tooLong)
            return new DemoLine("", $"500 A line has at most {MaxLength} bytes.");
        if (bytes is [.., (byte)'\r'])
            bytes = bytes[..^1];
        try
        {
            return new DemoLine(StrictUtf8.GetString(bytes));
        }
        catch (DecoderFallbackException)
        {
            return new DemoLine("", "501 Names are UTF-8 here.");
        }
    }
}
