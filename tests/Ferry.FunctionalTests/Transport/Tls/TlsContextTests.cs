using System.Linq;
using Ferry.Config;
using Ferry.FunctionalTests.Harness;

namespace Ferry.FunctionalTests.Transport.Tls;

public sealed class TlsContextTests : IDisposable
{
    private const TlsProtocols All = TlsProtocols.Tls10 | TlsProtocols.Tls11 | TlsProtocols.Tls12 | TlsProtocols.Tls13;

    // RFC 7919's group of 2048 bits (openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048)
    private const string DhParameters = """
        -----BEGIN DH PARAMETERS-----
        MIIBCAKCAQEA//////////+t+FRYortKmq/cViAnPTzx2LnFg84tNpWp4TZBFGQz
        +8yTnc4kmz75fS/jY2MMddj2gbICrsRhetPfHtXV/WVhJDP1H18GbtCFY2VVPe0a
        87VXE15/V8k1mE8McODmi3fipona8+/och3xWKE2rec1MKzKT0g6eXq8CrGCsyT7
        YdEIqUuyyOP7uWrat2DX9GgdT0Kj3jlN9K5W7edjcrsZCwenyO4KbXCeAvzhzffi
        7MA0BM0oNC9hkXL+nOmFg/+OTxIy7vKBg8P+OxtMb61zO7X8vC7CIAXFjvGDfRaD
        ssbzSibBsu/6iGtCOGEoXJf//////////wIBAg==
        -----END DH PARAMETERS-----

        """;

    private readonly TlsContexts _made = new();

    public void Dispose() => _made.Dispose();

    [Theory]
    [InlineData(TlsProtocols.Tls13, "TLSv1.3")]
    [InlineData(TlsProtocols.Tls12, "TLSv1.2")]
    [InlineData(TlsProtocols.Tls12 | TlsProtocols.Tls13, "TLSv1.3")]
    [InlineData(TlsProtocols.Tls11, "TLSv1.1")]
    [InlineData(TlsProtocols.Tls10, "TLSv1")]
    public void Both_ends_speak_the_newest_version_that_is_configured(TlsProtocols protocols, string spoken)
    {
        var server = _made.Server(c => c with { Protocols = protocols });
        var client = _made.Client(c => c with { Protocols = All });

        var (c, s) = _made.Meet(client, server);

        Assert.Null(c.Failure ?? s.Failure);
        Assert.Equal(spoken, c.Protocol);
    }

    [Theory]
    [InlineData(TlsProtocols.Tls10)]
    [InlineData(TlsProtocols.Tls11)]
    public void Old_versions_are_refused_by_default(TlsProtocols old)
    {
        var (_, s) = _made.Meet(_made.Client(c => c with { Protocols = old }), _made.Server());

        Assert.Equal("unsupported protocol", s.Failure);
    }

    [Fact]
    public void A_version_left_out_in_the_middle_is_not_spoken()
    {
        var server = _made.Server(c => c with { Protocols = TlsProtocols.Tls10 | TlsProtocols.Tls13 });

        Assert.NotNull(_made.Meet(_made.Client(c => c with { Protocols = TlsProtocols.Tls12 }), server).Server.Failure);
        Assert.NotNull(_made.Meet(_made.Client(c => c with { Protocols = TlsProtocols.Tls11 }), server).Server.Failure);
        Assert.Null(_made.Meet(_made.Client(c => c with { Protocols = TlsProtocols.Tls10 }), server).Server.Failure);
    }

    [Fact]
    public void No_version_at_all_is_an_error()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Protocols = TlsProtocols.None }));

        Assert.Equal(["no version of TLS is left to offer"], _made.Errors);
    }

    [Fact]
    public void Naming_an_old_version_lowers_the_security_level_and_says_so()
    {
        _made.Server(c => c with { Protocols = All });

        Assert.Contains("security level 0", Assert.Single(_made.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_security_level_of_the_operator_stays()
    {
        var server = _made.Server(c => c with { Protocols = All, Ciphers = new PlacedText("ALL:@SECLEVEL=1", TlsContexts.At(5)) });

        Assert.Empty(_made.Notes);
        Assert.NotNull(_made.Meet(_made.Client(c => c with { Protocols = TlsProtocols.Tls10 }), server).Server.Failure);
    }

    [Fact]
    public void Suites_that_are_configured_are_spoken()
    {
        var server = _made.Server(c => c with { Protocols = TlsProtocols.Tls12, Ciphers = new PlacedText("ECDHE-ECDSA-AES256-GCM-SHA384") });

        Assert.Equal("ECDHE-ECDSA-AES256-GCM-SHA384", _made.Meet(_made.Client(), server).Client.Cipher);
        Assert.Equal("no shared cipher", _made.Meet(_made.Client(c => c with { Ciphers = new PlacedText("ECDHE-ECDSA-AES128-GCM-SHA256") }), server).Server.Failure);
    }

    [Fact]
    public void The_list_of_the_old_documentation_works_without_what_OpenSSL_has_lost()
    {
        var config = _made.ServerConfig(c => c with
        {
            Certificates = [_made.Write(TestCertificate.SelfSigned(TestKey.Rsa))],
            Protocols = All,
            Ciphers = new PlacedText("AES128-SHA:AES256-SHA:RC4-SHA:DES-CBC3-SHA:RC4-MD5", TlsContexts.At(7)),
        });

        var server = _made.TryServer(config);

        var warning = Assert.Single(_made.Found, static f => f.Severity == ConfigSeverity.Warning);
        Assert.Equal("today's OpenSSL has no RC4-SHA, DES-CBC3-SHA, RC4-MD5; they are left out", warning.Message);
        Assert.Equal((TlsContexts.At(7), 50), (warning.Position, warning.Length));
        var (c, _) = _made.Meet(_made.Client(c => c with { Protocols = TlsProtocols.Tls10, Ciphers = new PlacedText("AES128-SHA") }), server!);
        Assert.Equal(("TLSv1", "AES128-SHA"), (c.Protocol, c.Cipher));
    }

    [Fact]
    public void A_list_of_nothing_that_OpenSSL_has_is_an_error()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Ciphers = new PlacedText("RC4-SHA:RC4-MD5", TlsContexts.At(7)) }));

        var error = Assert.Single(_made.Found, static f => f.Severity == ConfigSeverity.Error);
        Assert.Equal("none of these ciphers can be used: no cipher match", error.Message);
        Assert.Equal(TlsContexts.At(7), error.Position);
    }

    [Fact]
    public void Operators_and_words_of_a_list_are_not_taken_for_lost_suites()
    {
        _made.Server(c => c with { Ciphers = new PlacedText("EECDH+AESGCM:HIGH:!aNULL:!MD5:-RC4:+SHA1:!EXPORT:@STRENGTH") });

        Assert.Empty(_made.Warnings);
    }

    [Fact]
    public void Suites_of_TLS_1_3_in_the_list_are_told_where_they_belong()
    {
        _made.Server(c => c with { Ciphers = new PlacedText("TLS_AES_128_GCM_SHA256:HIGH") });

        Assert.Equal(["TLS_AES_128_GCM_SHA256: suites of TLS 1.3 are not chosen here, but with ssl_conf_command Ciphersuites"], _made.Warnings);
    }

    [Theory]
    [InlineData(true, "ECDHE-ECDSA-AES256-GCM-SHA384")]
    [InlineData(false, "ECDHE-ECDSA-AES128-GCM-SHA256")]
    public void The_order_is_the_servers_or_the_clients(bool preferServer, string spoken)
    {
        var server = _made.Server(c => c with
        {
            PreferServerCiphers = preferServer,
            Protocols = TlsProtocols.Tls12,
            Ciphers = new PlacedText("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"),
        });
        var client = _made.Client(c => c with { Ciphers = new PlacedText("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384") });

        Assert.Equal(spoken, _made.Meet(client, server).Client.Cipher);
    }

    [Theory]
    [InlineData("P-384", false)]
    [InlineData("P-384:X25519", true)]
    [InlineData("auto", true)]
    public void Only_curves_that_are_configured_are_used(string curves, bool works)
    {
        var server = _made.Server(c => c with { Curves = new PlacedText(curves) });
        var client = _made.Client(c => c with { Commands = [new TlsCommandConfig("Groups", "X25519:P-256")] });

        Assert.Equal(works, _made.Meet(client, server).Server.Failure is null);
    }

    [Fact]
    public void Curves_that_are_none_are_an_error()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Curves = new PlacedText("P-256:ellipse", TlsContexts.At(6)) }));

        Assert.StartsWith("\"P-256:ellipse\" is not a list of curves that OpenSSL has", Assert.Single(_made.Errors), StringComparison.Ordinal);
        Assert.Equal(TlsContexts.At(6), _made.Found[0].Position);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void DHE_is_spoken_only_with_parameters(bool hasParameters)
    {
        var server = _made.Server(c => c with
        {
            Certificates = [_made.Write(TestCertificate.SelfSigned(TestKey.Rsa))],
            DhParamFile = hasParameters ? _made.Write("dh.pem", DhParameters) : null,
        });
        var client = _made.Client(c => c with { Protocols = TlsProtocols.Tls12, Ciphers = new PlacedText("DHE-RSA-AES128-GCM-SHA256") });

        Assert.Equal(hasParameters ? null : "no shared cipher", _made.Meet(client, server).Server.Failure);
    }

    [Fact]
    public void A_file_without_parameters_is_an_error()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { DhParamFile = _made.Write("dh.pem", "nothing\n") }));

        Assert.Contains("holds no Diffie-Hellman parameters", Assert.Single(_made.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void OpenSSLs_own_commands_come_last()
    {
        var server = _made.Server(c => c with { Commands = [new TlsCommandConfig("MaxProtocol", "TLSv1.2"), new TlsCommandConfig("CipherString", "ECDHE-ECDSA-AES256-GCM-SHA384")] });

        var (c, _) = _made.Meet(_made.Client(), server);

        Assert.Equal(("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"), (c.Protocol, c.Cipher));
    }

    [Fact]
    public void Commands_that_OpenSSL_does_not_take_are_errors_where_they_stand()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with
        {
            Commands = [new TlsCommandConfig("Wish", "3", TlsContexts.At(3)), new TlsCommandConfig("MinProtocol", "TLSv9", TlsContexts.At(4))],
        }));

        Assert.Equal(["OpenSSL has no command \"Wish\"", "OpenSSL does not take \"TLSv9\" for \"MinProtocol\""], _made.Errors.Select(static e => e.Split(": ")[0]));
        Assert.Equal([TlsContexts.At(3), TlsContexts.At(4)], _made.Found.Select(static f => f.Position));
    }

    [Fact]
    public void Several_errors_are_told_at_once()
    {
        Assert.Null(_made.TryServer(_made.ServerConfig() with { Curves = new PlacedText("ellipse"), Ciphers = new PlacedText("RC4-SHA"), DhParamFile = new PlacedText("/nowhere/dh.pem") }));

        Assert.Equal(3, _made.Errors.Length);
    }

    [Theory]
    [InlineData("ECDHE-ECDSA-AES128-GCM-SHA256")]
    [InlineData("ECDHE-ECDSA-CHACHA20-POLY1305")]
    public void Suites_towards_servers_are_those_configured(string suite)
    {
        var client = _made.Client(c => c with { Protocols = TlsProtocols.Tls12, Ciphers = new PlacedText(suite) });

        Assert.Equal(suite, _made.Meet(client, _made.Server()).Server.Cipher);
    }

    [Theory]
    [InlineData("-ClientRenegotiation")]
    [InlineData("ClientRenegotiation")] // not even where OpenSSL alone would allow it
    public void A_session_is_never_negotiated_anew(string options)
    {
        var server = _made.Server(c => c with { Commands = [new TlsCommandConfig("Options", options)] });

        var (c, s) = _made.Meet(_made.Client(c => c with { Protocols = TlsProtocols.Tls12 }), server);

        Assert.False(c.Renegotiate(s));
    }
}
