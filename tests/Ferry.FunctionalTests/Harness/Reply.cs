using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace Ferry.FunctionalTests.Harness;

/// <summary>One reply, which may have several lines (RFC 959 §4.2).</summary>
internal sealed partial record Reply(int Code, IReadOnlyList<string> Lines)
{
    /// <summary>All lines as they came, joined with LF.</summary>
    public string Text => string.Join('\n', Lines);

    /// <summary>The address of a 227. As strict as no client is: anything but the usual form fails.</summary>
    public IPEndPoint PasvEndPoint
    {
        get
        {
            var match = Pasv().Match(Text);
            Assert.True(match.Success, $"This is no 227: {Text}");
            var numbers = match.Groups[1].Value.Split(',');
            var port = int.Parse(numbers[4], CultureInfo.InvariantCulture) * 256 + int.Parse(numbers[5], CultureInfo.InvariantCulture);
            return new IPEndPoint(IPAddress.Parse(string.Join('.', numbers[..4])), port);
        }
    }

    /// <summary>The port of a 229.</summary>
    public int EpsvPort
    {
        get
        {
            var match = Epsv().Match(Text);
            Assert.True(match.Success, $"This is no 229: {Text}");
            return int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        }
    }

    public override string ToString() => Text;

    [GeneratedRegex(@"^227 [^()]*\((\d{1,3},\d{1,3},\d{1,3},\d{1,3},\d{1,3},\d{1,3})\)[^()]*$")]
    private static partial Regex Pasv();

    [GeneratedRegex(@"^229 [^()]*\(\|\|\|(\d{1,5})\|\)[^()]*$")]
    private static partial Regex Epsv();
}
