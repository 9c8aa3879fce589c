using System.Runtime.InteropServices;
using Ferry.Config;

namespace Ferry.Transport.Tls;

/// <summary>Reads private keys, and the passphrases that open them. Neither is ever in a message.</summary>
internal static unsafe class KeyFile
{
    private const int MostPassphrases = 100;

    /// <summary>What is on offer when OpenSSL asks for a passphrase.</summary>
    private struct Offer
    {
        public byte* Text;
        public int Length;
        public bool WasAsked;
    }

    /// <summary>The EVP_PKEY, the caller's to free; 0, and why, where it cannot be had.</summary>
    public static nint TryLoad(PlacedText file, PlacedText? passwords, string passwordDirective, TlsFindings findings)
    {
        if (PemFile.TryOpen(file, "private key", findings) is not { } pem)
            return 0;
        using (pem)
        {
            var key = Read(pem, [], out var isEncrypted);
            if (key != 0)
            {
                OpenSsl.ERR_clear_error();
                return key;
            }
            if (!isEncrypted)
            {
                // OpenSSL 3 tries every form that it knows, and tells of the last.
                findings.Error(file, pem.Content.IndexOf(" KEY-----"u8) < 0
                    ? $"there is no private key in \"{file.Value}\" (PEM begins with -----BEGIN PRIVATE KEY-----)"
                    : $"the private key in \"{file.Value}\" cannot be read: {OpenSsl.TakeErrors()}");
                OpenSsl.ERR_clear_error();
                return 0;
            }
            OpenSsl.ERR_clear_error();
            if (passwords is null)
            {
                findings.Error(file, $"the private key in \"{file.Value}\" is encrypted; name the file of its passphrase with {passwordDirective}, or decrypt it (openssl pkey)");
                return 0;
            }
            return TryPassphrases(pem, file, passwords, findings);
        }
    }

    private static nint TryPassphrases(PemFile pem, PlacedText file, PlacedText passwords, TlsFindings findings)
    {
        if (PemFile.TryOpen(passwords, "passphrases", findings) is not { } lines)
            return 0;
        using (lines)
        {
            var tried = 0;
            foreach (var range in lines.Content.Split((byte)'\n'))
            {
                var passphrase = lines.Content[range].TrimEnd((byte)'\r');
                if (passphrase.IsEmpty)
                    continue;
                if (++tried > MostPassphrases)
                    break;
                pem.Rewind();
                var key = Read(pem, passphrase, out _);
                OpenSsl.ERR_clear_error();
                if (key != 0)
                    return key;
            }
        }
        findings.Error(file, $"none of the passphrases in \"{passwords.Value}\" opens the private key in \"{file.Value}\"");
        return 0;
    }

    private static nint Read(PemFile pem, ReadOnlySpan<byte> passphrase, out bool wasAsked)
    {
        fixed (byte* text = passphrase)
        {
            var offer = new Offer { Text = text, Length = passphrase.Length };
            var key = OpenSsl.PEM_read_bio_PrivateKey(pem.Bio, 0, &Ask, &offer);
            wasAsked = offer.WasAsked;
            return key;
        }
    }

    // pem_password_cb: how many bytes were put into the buffer; -1 for none.
    [UnmanagedCallersOnly]
    private static int Ask(byte* buffer, int size, int isWriting, void* argument)
    {
        var offer = (Offer*)argument;
        offer->WasAsked = true;
        if (offer->Length == 0 || offer->Length > size)
            return -1;
        new ReadOnlySpan<byte>(offer->Text, offer->Length).CopyTo(new Span<byte>(buffer, size));
        return offer->Length;
    }
}
