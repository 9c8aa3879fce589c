using System.Globalization;
using System.Text;

namespace Ferry.Config;

/// <summary>Texts of <c>match</c>, which stand for bytes.</summary>
internal static class MatchText
{
    /// <summary>The bytes: UTF-8, and <c>\xHH</c> for any.</summary>
    /// <param name="text">As it is written, once quotes are gone.</param>
    /// <returns>Null where two digits are missing behind <c>\x</c>.</returns>
    public static byte[]? Decode(string text)
    {
        List<byte> bytes = [];
        for (var i = 0; i < text.Length;)
        {
            var escape = text.IndexOf("\\x", i, StringComparison.Ordinal);
            bytes.AddRange(Encoding.UTF8.GetBytes(escape < 0 ? text[i..] : text[i..escape]));
            if (escape < 0)
                break;
            if (escape + 4 > text.Length || !byte.TryParse(text.AsSpan(escape + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
                return null;
            bytes.Add(value);
            i = escape + 4;
        }
        return [.. bytes];
    }

    /// <summary>A regular expression over characters of which each is a byte.</summary>
    public static string OverBytes(string pattern) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(pattern));
}
