using System.IO;

namespace Ferry.FunctionalTests.Harness;

/// <summary>What the tests hold against Ferry is itself right: OpenSSL agrees with the certificates that they make.</summary>
public sealed class TestCertificateTests
{
    [NeedsTheory("openssl")]
    [InlineData(TestKey.Rsa)]
    [InlineData(TestKey.Ecdsa)]
    public async Task A_leaf_below_an_intermediate_authority_verifies_for_its_names(TestKey key)
    {
        using var folder = new TempFolder();
        using var root = new TestAuthority();
        using var middle = new TestAuthority("Ferry Test Middle", root);
        using var leaf = middle.Issue(key, "ftp.example", "192.0.2.1");
        var files = leaf.WriteTo(folder.Path);
        var ca = root.WriteTo(folder.Path);

        (await VerifyAsync(ca, files.Chain, "-purpose", "sslserver", "-verify_hostname", "ftp.example", "-untrusted", files.Chain)).Succeeded();
        (await VerifyAsync(ca, files.Chain, "-verify_ip", "192.0.2.1", "-untrusted", files.Chain)).Succeeded();
        Assert.Contains("hostname mismatch", (await VerifyAsync(ca, files.Chain, "-verify_hostname", "other.example", "-untrusted", files.Chain)).Output, StringComparison.Ordinal);
        // Without the intermediate certificate there is no way to the root.
        Assert.NotEqual(0, (await VerifyAsync(ca, files.Chain)).ExitCode);
    }

    [NeedsFact("openssl")]
    public async Task Expired_foreign_and_revoked_certificates_do_not_verify()
    {
        using var folder = new TempFolder();
        using var root = new TestAuthority();
        using var other = new TestAuthority();
        using var good = root.IssueClient();
        using var expired = root.IssueExpired();
        using var foreign = other.Issue(TestKey.Ecdsa);
        var ca = root.WriteTo(folder.Path);
        var goodFile = good.WriteTo(folder.Path, "good").Chain;

        (await VerifyAsync(ca, goodFile, "-purpose", "sslclient")).Succeeded();
        Assert.Contains("has expired", (await VerifyAsync(ca, expired.WriteTo(folder.Path, "expired").Chain)).Output, StringComparison.Ordinal);
        Assert.NotEqual(0, (await VerifyAsync(ca, foreign.WriteTo(folder.Path, "foreign").Chain)).ExitCode);
        (await VerifyAsync(ca, goodFile, "-crl_check", "-CRLfile", root.WriteCrlTo(folder.Path))).Succeeded();
        Assert.Contains("certificate revoked", (await VerifyAsync(ca, goodFile, "-crl_check", "-CRLfile", root.WriteCrlTo(folder.Path, good))).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(TestKey.Rsa)]
    [InlineData(TestKey.Ecdsa)]
    public void The_files_hold_a_certificate_and_its_own_key(TestKey key)
    {
        using var folder = new TempFolder();
        using var made = TestCertificate.SelfSigned(key);
        var files = made.WriteTo(folder.Path);

        using var pair = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPemFile(files.Chain, files.Key);
        Assert.Equal(made.Certificate.Thumbprint, pair.Thumbprint);
        Assert.Equal(File.ReadAllText(files.Chain) + File.ReadAllText(files.Key), File.ReadAllText(files.Both));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(files.Key));
    }

    private static Task<CommandResult> VerifyAsync(string ca, string certificate, params string[] options) =>
        Command.RunAsync("openssl", ["verify", "-no-CApath", "-no-CAstore", "-CAfile", ca, .. options, certificate]);
}
