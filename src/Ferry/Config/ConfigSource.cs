namespace Ferry.Config;

/// <summary>The text of one configuration file, and where its lines begin.</summary>
internal sealed class ConfigSource
{
    /// <summary>A longer line is not shown in a diagnostic: no terminal would do anything useful with it.</summary>
    private const int LongestShownLine = 4096;

    private readonly List<int> _lineStarts = [0];

    public ConfigSource(string name, string text, int order)
    {
        Name = name;
        Text = text;
        Order = order;
        for (var i = text.IndexOf('\n'); i >= 0; i = text.IndexOf('\n', i + 1))
            _lineStarts.Add(i + 1);
    }

    /// <summary>The file as the user named it, or as <c>include</c> found it.</summary>
    public string Name { get; }

    public string Text { get; }

    /// <summary>When it was first opened, counted from 0; findings are sorted by it.</summary>
    public int Order { get; }

    public ConfigPosition PositionAt(int offset)
    {
        var line = LineIndexAt(offset);
        return new ConfigPosition(Name, line + 1, offset - _lineStarts[line] + 1);
    }

    public int LineIndexAt(int offset)
    {
        var found = _lineStarts.BinarySearch(offset);
        return found >= 0 ? found : ~found - 1;
    }

    /// <summary>The line around an offset without its line end; null where it is too long to show.</summary>
    public string? LineAt(int offset)
    {
        var start = _lineStarts[LineIndexAt(offset)];
        var end = LineEndAt(offset);
        return end - start > LongestShownLine ? null : Text[start..end];
    }

    /// <summary>Where the line around an offset ends: before its LF or CRLF.</summary>
    public int LineEndAt(int offset)
    {
        var line = LineIndexAt(offset);
        var end = line + 1 < _lineStarts.Count ? _lineStarts[line + 1] - 1 : Text.Length;
        return end > _lineStarts[line] && Text[end - 1] == '\r' ? end - 1 : end;
    }
}
