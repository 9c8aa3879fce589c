using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>A key of session tickets, shared with other machines: 80 bytes, or 48 of old.</summary>
/// <remarks>
/// <code>
/// 80 bytes (AES-256)   name 16 | HMAC 32 | AES 32
/// 48 bytes (AES-128)   name 16 | AES 16  | HMAC 16      as nginx has them
/// </code>
/// </remarks>
internal sealed class TicketKey
{
    public const int NameSize = 16;

    private TicketKey(ReadOnlySpan<byte> content)
    {
        Name = content[..NameSize].ToArray();
        var isLong = content.Length == 80;
        Hmac = (isLong ? content[16..48] : content[32..48]).ToArray();
        Aes = (isLong ? content[48..80] : content[16..32]).ToArray();
    }

    /// <summary>In clear in front of each ticket.</summary>
    public byte[] Name { get; }

    public byte[] Hmac { get; }

    public byte[] Aes { get; }

    public override string ToString() => "(ticket key)";

    public static TicketKey? TryLoad(PlacedText file, TlsFindings findings)
    {
        if (PemFile.TryOpen(file, "session ticket key", findings) is not { } read)
            return null;
        using (read)
        {
            if (read.Content.Length is 48 or 80)
                return new TicketKey(read.Content);
            findings.Error(file, $"\"{file.Value}\" must be of 80 or 48 bytes, and is of {read.Content.Length} (openssl rand 80 > FILE)");
            return null;
        }
    }
}
