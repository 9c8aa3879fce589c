using System.Text;

namespace Ferry.FunctionalTests.Load;

/// <summary>Reads lines off a connection, of whatever length and however they come.</summary>
internal sealed class ChaosLines(FtpsWire wire)
{
    private readonly byte[] _buffer = new byte[4096];
    private readonly StringBuilder _line = new();
    private int _start;
    private int _end;

    /// <summary>The next line; null at the end of the stream.</summary>
    public async Task<string?> ReadAsync(CancellationToken ct)
    {
        while (true)
        {
            while (_start < _end)
            {
                var letter = (char)_buffer[_start++];
                if (letter != '\n')
                {
                    _line.Append(letter);
                    continue;
                }
                var line = _line.ToString().TrimEnd('\r');
                _line.Clear();
                return line;
            }
            _start = 0;
            _end = await wire.ReceiveAsync(_buffer, ct);
            if (_end == 0)
                return null;
        }
    }
}
