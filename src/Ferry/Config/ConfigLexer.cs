using System.Text;

namespace Ferry.Config;

/// <summary>Cuts a configuration into words and marks, by the rules of nginx (ngx_conf_read_token).</summary>
/// <remarks>
/// <code>
/// name word "quoted \" word" 'another' a\;b ${name}x ;   # comment to the end of the line
/// name word { ... }
/// </code>
/// A comment begins only where a word could; quotes act only at the beginning of a word. One thing differs from nginx: a <c>}</c>
/// ends a bare word, so that a forgotten semicolon before it is found where it is missing.
/// </remarks>
internal sealed class ConfigLexer(ConfigSource source, ConfigFindings findings)
{
    /// <summary>As nginx, whose buffer holds so much.</summary>
    public const int LongestWord = 4096;

    private readonly string _text = source.Text;
    private int _at;

    public ConfigToken Next()
    {
        SkipSpace();
        if (_at >= _text.Length)
            return new ConfigToken(ConfigTokenKind.End, source, _text.Length, 0, "");
        return _text[_at] switch
        {
            ';' => Mark(ConfigTokenKind.Semicolon),
            '{' => Mark(ConfigTokenKind.Open),
            '}' => Mark(ConfigTokenKind.Close),
            '"' or '\'' => Quoted(_text[_at]),
            _ => Bare(),
        };
    }

    private void SkipSpace()
    {
        while (_at < _text.Length)
        {
            if (IsSpace(_text[_at]))
                _at++;
            else if (_text[_at] == '#')
                _at = _text.IndexOf('\n', _at) is >= 0 and var end ? end + 1 : _text.Length;
            else
                return;
        }
    }

    private ConfigToken Mark(ConfigTokenKind kind) => new(kind, source, _at++, 1, "");

    private ConfigToken Bare()
    {
        var start = _at;
        while (_at < _text.Length && !IsSpace(_text[_at]) && _text[_at] is not (';' or '{' or '}'))
        {
            if (_text[_at] == '\\')
                _at = Math.Min(_at + 2, _text.Length);
            else if (_text.AsSpan(_at).StartsWith("${"))
                SkipBracedVariable();
            else
                _at++;
        }
        return Word(start, _at - start, _text.AsSpan(start, _at - start));
    }

    private void SkipBracedVariable()
    {
        _at += 2;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] == '_'))
            _at++;
        if (_at < _text.Length && _text[_at] == '}')
            _at++;
    }

    private ConfigToken Quoted(char quote)
    {
        var start = _at++;
        while (_at < _text.Length && _text[_at] != quote)
            _at += _text[_at] == '\\' ? 2 : 1;
        if (_at >= _text.Length)
            return Unclosed(start, quote);
        var inside = _text.AsSpan(start + 1, _at - start - 1);
        var runsOn = _at + 1 < _text.Length && !IsSpace(_text[_at + 1]) && _text[_at + 1] is not (';' or '{' or '}');
        // A word goes on right behind the quote, lines below: that quote opens another word, and this one was never closed.
        if (runsOn && inside.Contains('\n'))
            return Unclosed(start, quote);
        _at++;
        if (runsOn)
            findings.Error(source, _at, 1,
                $"unexpected {ConfigFindings.Show(_text[_at].ToString())} right after a closing quote: a space or \";\" is missing, or a quote inside the word needs a backslash");
        return Word(start, _at - start, inside);
    }

    /// <summary>Takes the rest of the line for the word, so that the lines below are still read.</summary>
    private ConfigToken Unclosed(int start, char quote)
    {
        findings.Error(source, start, 1, $"this quote is never closed: {quote} is missing");
        var end = source.LineEndAt(start);
        while (end > start + 1 && (IsSpace(_text[end - 1]) || _text[end - 1] == ';'))
            end--;
        _at = end;
        return Word(start, end - start, _text.AsSpan(start + 1, end - start - 1));
    }

    private ConfigToken Word(int start, int length, ReadOnlySpan<char> raw)
    {
        if (raw.Length > LongestWord)
        {
            findings.Error(source, start, length, $"this word is longer than {LongestWord} characters: is a quote or a \";\" missing?");
            raw = raw[..LongestWord];
        }
        return new ConfigToken(ConfigTokenKind.Word, source, start, length, Unescape(raw));
    }

    /// <summary>As nginx: a backslash is dropped before a quote or a backslash, makes t r n what they are in C, and stays before all else.</summary>
    private static string Unescape(ReadOnlySpan<char> raw)
    {
        if (!raw.Contains('\\'))
            return raw.ToString();
        var text = new StringBuilder(raw.Length);
        for (var i = 0; i < raw.Length; i++)
        {
            var next = raw[i] == '\\' && i + 1 < raw.Length ? raw[i + 1] : '\0';
            var meant = next switch { '"' or '\'' or '\\' => next, 't' => '\t', 'r' => '\r', 'n' => '\n', _ => '\0' };
            text.Append(meant == '\0' ? raw[i] : meant);
            if (meant != '\0')
                i++;
        }
        return text.ToString();
    }

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\r' or '\n';
}
