using System.IO;
using System.Security.Cryptography;
using Ferry.Config;
using Ferry.Transport.Linux;

namespace Ferry.Transport.Tls;

/// <summary>A whole file in memory that OpenSSL reads; wiped when it is let go, because keys may be in it.</summary>
internal sealed unsafe class PemFile : IDisposable
{
    /// <summary>Lists of revoked certificates are the largest that people have: a few MiB.</summary>
    public const int MostBytes = 64 << 20;

    private readonly byte[] _content;

    private PemFile(byte[] content) => _content = content;

    /// <summary>The BIO that yields it, from its beginning.</summary>
    public nint Bio { get; private set; }

    public ReadOnlySpan<byte> Content => _content;

    /// <summary>Reads it; null, and an error told, where that cannot be.</summary>
    /// <param name="file">Which.</param>
    /// <param name="what">What it should hold, for the error.</param>
    /// <param name="findings">Gets the error.</param>
    public static PemFile? TryOpen(PlacedText file, string what, TlsFindings findings)
    {
        if (Libc.IsPipeOrDevice(file.Value))
        {
            findings.Error(file, $"cannot read the {what} from \"{file.Value}\": it is no regular file");
            return null;
        }
        try
        {
            using var stream = new FileStream(file.Value, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (stream.Length is 0 or > MostBytes)
            {
                findings.Error(file, stream.Length == 0 ? $"\"{file.Value}\" is empty; it should hold the {what}" : $"\"{file.Value}\" is too long for the {what}");
                return null;
            }
            // Pinned, so that no copy of a key is left behind where the collector moved it.
            var content = GC.AllocateUninitializedArray<byte>((int)stream.Length, pinned: true);
            stream.ReadExactly(content);
            var pem = new PemFile(content);
            pem.Rewind();
            return pem;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            findings.Error(file, $"cannot read the {what} from \"{file.Value}\": {Reason(e)}");
            return null;
        }
    }

    /// <summary>Begins again.</summary>
    public void Rewind()
    {
        if (Bio != 0)
            _ = OpenSsl.BIO_free(Bio);
        fixed (byte* content = _content)
            Bio = OpenSsl.BIO_new_mem_buf(content, _content.Length); // it does not move, see above
    }

    public void Dispose()
    {
        if (Bio != 0)
            _ = OpenSsl.BIO_free(Bio);
        Bio = 0;
        CryptographicOperations.ZeroMemory(_content);
    }

    private static string Reason(Exception e) => e switch
    {
        FileNotFoundException or DirectoryNotFoundException => "there is no such file",
        UnauthorizedAccessException => "permission denied",
        EndOfStreamException => "it was cut while it was read",
        _ => e.Message,
    };
}
