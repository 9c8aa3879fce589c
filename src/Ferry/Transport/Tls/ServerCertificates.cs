using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Ferry.Transport.Tls;

/// <summary>The certificates of a server; the name that a client asks for picks among them.</summary>
internal sealed class ServerCertificates : IDisposable
{
    private readonly ImmutableArray<TlsCertificate> _all;
    private readonly ImmutableArray<TlsCertificate> _byDefault;

    /// <param name="all">In the order of the configuration; now owned by this. At least one.</param>
    public ServerCertificates(ImmutableArray<TlsCertificate> all)
    {
        _all = all;
        _byDefault = Pick(all, c => ReferenceEquals(c, all[0]) || c.SharesNameOf(all[0]));
    }

    /// <summary>There is a choice.</summary>
    public bool AreSeveral => _all.Length > 1;

    /// <summary>For clients that ask for no name, or for one that nothing is known of: the first, and those of other kinds of keys for the same name.</summary>
    public ImmutableArray<TlsCertificate> ByDefault => _byDefault;

    /// <summary>What a client is shown that asks for a name (RFC 6066 §3): of each kind of key the first that is good for it.</summary>
    public ImmutableArray<TlsCertificate> For(ReadOnlySpan<byte> host)
    {
        var picked = ImmutableArray.CreateBuilder<TlsCertificate>();
        foreach (var certificate in _all)
        {
            if (certificate.IsFor(host) && !HasKind(picked, certificate.KeyType))
                picked.Add(certificate);
        }
        return picked.Count > 0 ? picked.ToImmutable() : _byDefault;
    }

    /// <summary>Gives a connection the certificates for the name that its client asks for; those by default are in its context already.</summary>
    public unsafe void Choose(nint ssl)
    {
        var name = OpenSsl.SSL_get_servername(ssl, OpenSsl.TLSEXT_NAMETYPE_host_name);
        if (name == 0)
            return;
        var chosen = For(MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)name));
        if (chosen == _byDefault)
            return;
        OpenSsl.SSL_certs_clear(ssl);
        foreach (var certificate in chosen)
            _ = certificate.TryUse(ssl);
    }

    public void Dispose()
    {
        foreach (var certificate in _all)
            certificate.Dispose();
    }

    private static ImmutableArray<TlsCertificate> Pick(ImmutableArray<TlsCertificate> all, Predicate<TlsCertificate> isWanted)
    {
        var picked = ImmutableArray.CreateBuilder<TlsCertificate>();
        foreach (var certificate in all)
        {
            if (!HasKind(picked, certificate.KeyType) && isWanted(certificate))
                picked.Add(certificate);
        }
        return picked.ToImmutable();
    }

    private static bool HasKind(ImmutableArray<TlsCertificate>.Builder picked, int keyType)
    {
        foreach (var certificate in picked)
        {
            if (certificate.KeyType == keyType)
                return true;
        }
        return false;
    }
}
