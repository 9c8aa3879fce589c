using System.Net;

namespace Ferry.Transport.Tls;

/// <summary>Who a server should be.</summary>
/// <param name="Verified">The name or address that its certificate must carry; null: any.</param>
/// <param name="Sent">The name that it is told (SNI); null: none. An address is never sent (RFC 6066 §3).</param>
internal sealed record TlsPeerName(string? Verified, string? Sent)
{
    /// <summary>Neither.</summary>
    public static TlsPeerName Any { get; } = new(null, null);

    public unsafe void ApplyTo(nint ssl)
    {
        var isGood = 1;
        if (IPAddress.TryParse(Verified, out var address))
        {
            var bytes = address.GetAddressBytes(); // not the text, which OpenSSL reads by other rules
            fixed (byte* start = bytes)
                isGood = OpenSsl.X509_VERIFY_PARAM_set1_ip(OpenSsl.SSL_get0_param(ssl), start, (nuint)bytes.Length);
        }
        else if (Verified is not null)
        {
            isGood = OpenSsl.SSL_set1_host(ssl, Verified);
        }
        // A name that cannot be asked for must not become any name.
        if (isGood != 1)
            throw new ArgumentException($"\"{Verified}\" is no name that a certificate could carry.");
        if (Sent is not null && !IPAddress.TryParse(Sent, out _))
        {
            fixed (byte* name = System.Text.Encoding.ASCII.GetBytes(Sent + "\0"))
                _ = OpenSsl.SSL_ctrl(ssl, OpenSsl.SSL_CTRL_SET_TLSEXT_HOSTNAME, OpenSsl.TLSEXT_NAMETYPE_host_name, name);
        }
        OpenSsl.ERR_clear_error();
    }
}
