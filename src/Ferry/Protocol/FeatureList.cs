using System.Linq;
using System.Text;

namespace Ferry.Protocol;

/// <summary>The lines of a FEAT reply (RFC 2389 §3.2) that are true through the proxy.</summary>
internal static class FeatureList
{
    /// <summary>False for a line that names a feature which Ferry does not carry.</summary>
    /// <param name="line">A line between the first and the last of the reply; a feature stands behind one space, with some servers behind the code.</param>
    public static bool IsCarried(ReadOnlySpan<byte> line)
    {
        var name = NameOf(line);
        return !(Is(name, "AUTH"u8) || Is(name, "PBSZ"u8) || Is(name, "PROT"u8) || Is(name, "CCC"u8)
            || Is(name, "CPSV"u8) || Is(name, "SSCN"u8) || Is(name, "LPRT"u8)
            || Is(name, "LPSV"u8) || Is(name, "SPSV"u8)
            || Is(name, "ESTA"u8) || Is(name, "ESTP"u8));
    }

    /// <summary>True for a line that names what many servers have, by an RFC or a draft: it tells of no one software.</summary>
    public static bool IsStandard(ReadOnlySpan<byte> line)
    {
        var name = NameOf(line);
        foreach (var standard in Standard)
        {
            if (Is(name, standard))
                return true;
        }
        return false;
    }

    // RFC 2389, 2428, 2640, 3659, 7151; draft-somers-ftp-mfxx, -preston-ftpext-deflate, -bryan-ftpext-hash, -peterson-streamlined-ftp-command-extensions.
    private static readonly byte[][] Standard =
    [
        .. "CLNT EPRT EPSV HASH HOST LANG MDTM MFCT MFF MFMT MLSD MLST MODE PASV RANG REST SIZE TVFS UTF8".Split(' ').Select(Encoding.ASCII.GetBytes),
    ];

    /// <summary>The first line of a reply of Ferry's own.</summary>
    public static ReadOnlySpan<byte> Head => "211-Features:\r\n"u8;

    /// <summary>The last one.</summary>
    public static ReadOnlySpan<byte> Tail => "211 End\r\n"u8;

    /// <summary>True for a line that names this feature.</summary>
    public static bool Names(ReadOnlySpan<byte> line, ReadOnlySpan<byte> feature) => Is(NameOf(line), feature);

    /// <summary>The lines of RFC 2428's commands, which Ferry knows whether the server does or not.</summary>
    public static byte[] Extended(bool eprt, bool epsv) => [.. eprt ? " EPRT\r\n"u8 : default, .. epsv ? " EPSV\r\n"u8 : default];

    /// <summary>The lines of what Ferry itself does for clients (RFC 4217 §6), to stand before the last line of a reply; empty when all are false.</summary>
    public static byte[] Tls(bool auth, bool protection, bool ccc) =>
    [
        .. auth ? " AUTH TLS\r\n"u8 : default,
        .. protection ? " PBSZ\r\n PROT\r\n"u8 : default,
        .. ccc ? " CCC\r\n"u8 : default,
    ];

    /// <summary>A reply of these lines alone.</summary>
    public static byte[] Whole(ReadOnlySpan<byte> lines) => [.. Head, .. lines, .. Tail];

    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> line)
    {
        var feature = line.TrimStart(" \t"u8);
        var end = feature.IndexOfAny((byte)' ', (byte)';');
        return end < 0 ? feature : feature[..end];
    }

    private static bool Is(ReadOnlySpan<byte> name, ReadOnlySpan<byte> feature) => Ascii.EqualsIgnoreCase(name, feature);
}
