using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Ferry.Transport.Tls;

// What OpenSSL asks the state of a context. No exception may cross its frames.
internal sealed unsafe partial class TlsContext
{
    private const int IvSize = 16; // of AES-CBC

    /// <summary>Lets a context ask its state for what the state knows.</summary>
    private static void Attach(SafeSslContextHandle context, TlsContextState state)
    {
        if (state.Certificates is null && state.TicketKeys.IsEmpty)
            return;
        state.AttachTo(context);
        if (state.Certificates is not null)
            OpenSsl.SSL_CTX_set_cert_cb(context, &ChooseCertificate, 0);
        if (!state.TicketKeys.IsEmpty)
            _ = OpenSsl.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &UseTicketKey);
    }

    // SSL_CTX_set_cert_cb(3): 1 goes on, 0 ends the handshake.
    [UnmanagedCallersOnly]
    private static int ChooseCertificate(nint ssl, nint argument)
    {
        try
        {
            TlsContextState.Of(ssl)?.Certificates?.Choose(ssl);
            return 1;
        }
        catch (Exception)
        {
            return 0;
        }
    }

    // SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 use it, 2 use it and write a new one, 0 no such key, -1 failed.
    [UnmanagedCallersOnly]
    private static int UseTicketKey(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int isEncrypting)
    {
        try
        {
            if (TlsContextState.Of(ssl) is not { } state)
                return -1;
            if (isEncrypting == 1)
            {
                var first = state.TicketKeys[0];
                first.Name.CopyTo(new Span<byte>(name, TicketKey.NameSize));
                RandomNumberGenerator.Fill(new Span<byte>(iv, IvSize));
                return Begin(first, iv, cipher, mac, isEncrypting) ? 1 : -1;
            }
            for (var i = 0; i < state.TicketKeys.Length; i++)
            {
                if (state.TicketKeys[i].Name.AsSpan().SequenceEqual(new ReadOnlySpan<byte>(name, TicketKey.NameSize)))
                    return !Begin(state.TicketKeys[i], iv, cipher, mac, isEncrypting) ? -1 : i == 0 ? 1 : 2;
            }
            return 0;
        }
        catch (Exception)
        {
            return -1;
        }
    }

    private static bool Begin(TicketKey key, byte* iv, nint cipher, nint mac, int isEncrypting)
    {
        fixed (byte* aes = key.Aes, hmac = key.Hmac, digest = "SHA256\0"u8, parameter = "digest\0"u8)
        {
            var parameters = stackalloc OpenSsl.OSSL_PARAM[2]; // the second is the end
            parameters[0] = new OpenSsl.OSSL_PARAM { Key = parameter, DataType = OpenSsl.OSSL_PARAM_UTF8_STRING, Data = digest, DataSize = 6 };
            parameters[1] = default;
            var kind = key.Aes.Length == 32 ? OpenSsl.EVP_aes_256_cbc() : OpenSsl.EVP_aes_128_cbc();
            return OpenSsl.EVP_MAC_init(mac, hmac, (nuint)key.Hmac.Length, parameters) == 1
                && OpenSsl.EVP_CipherInit_ex(cipher, kind, 0, aes, iv, isEncrypting) == 1;
        }
    }
}
