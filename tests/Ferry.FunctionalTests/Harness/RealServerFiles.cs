using System.IO;
using System.Net;
using System.Net.Sockets;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The configuration files of the real servers.</summary>
internal static class RealServerFiles
{
    public const string User = "ferry";
    public const string Password = "secret";

    /// <summary><see cref="Password"/> as crypt(3) writes it, SHA-256.</summary>
    private const string PasswordHash = "$5$ferrytest$s3zmT5K2Zq5CnDKaFD0M5p7U6Nh3GQn0eYAkFBo40HC";

    public static string Vsftpd(IPEndPoint endPoint, string root, string empty, RealServerTls? tls, string folder) => $"""
        {(IsV6(endPoint) ? $"listen_ipv6=YES\nlisten_address6={endPoint.Address}" : $"listen=YES\nlisten_address={endPoint.Address}")}
        listen_port={endPoint.Port}
        background=NO
        anonymous_enable=YES
        local_enable=NO
        ftp_username=games
        nopriv_user=nobody
        anon_root={root}
        write_enable=YES
        anon_upload_enable=YES
        anon_mkdir_write_enable=YES
        anon_other_write_enable=YES
        anon_world_readable_only=NO
        anon_umask=022
        secure_chroot_dir={empty}
        seccomp_sandbox=NO
        xferlog_enable=NO
        max_clients=0
        max_per_ip=0
        {(tls is null ? "" : VsftpdTls(tls, folder))}

        """;

    public static string ProFtpdUsers(int uid, int gid, string root) => $"{User}:{PasswordHash}:{uid}:{gid}::{root}:/bin/sh\n";

    /// <summary>With a hash that is quick to check: the one that pure-pw makes takes seconds on purpose.</summary>
    public static string PureFtpdUsers(int uid, int gid, string root) => $"{User}:{PasswordHash}:{uid}:{gid}::{root}::::::::::::\n";

    public static string ProFtpd(IPEndPoint endPoint, string folder, RealServerTls? tls) => $"""
        {(tls is null ? "" : ProFtpdModule)}
        ServerType standalone
        ServerName ferry-test
        DefaultAddress {endPoint.Address}
        SocketBindTight on
        Port {endPoint.Port}
        UseIPv6 {(IsV6(endPoint) ? "on" : "off")}
        User nobody
        Group nogroup
        Umask 022
        PidFile {folder}/pid
        ScoreboardFile {folder}/scoreboard
        <IfModule mod_ctrls.c>
          ControlsEngine off
        </IfModule>
        SystemLog {folder}/log
        TransferLog none
        WtmpLog off
        DelayEngine off
        RequireValidShell off
        UseFtpUsers off
        UseReverseDNS off
        RootLogin off
        AuthOrder mod_auth_file.c
        AuthUserFile {folder}/passwd
        DefaultRoot ~
        AllowOverwrite on
        AllowStoreRestart on
        AllowRetrieveRestart on
        MaxInstances 1000
        {(tls is null ? "" : ProFtpdTls(tls, folder))}

        """;

    /// <summary>mod_tls comes in a package of its own; mod_dso, which loads it, is built in.</summary>
    private static string ProFtpdModule => $"""
        ModulePath {Path.Combine(Repository.Servers, "proftpd-mod-crypto", "usr", "lib", "proftpd")}
        LoadModule mod_tls.c
        """;

    private static string VsftpdTls(RealServerTls tls, string folder) => $"""
        ssl_enable=YES
        allow_anon_ssl=YES
        implicit_ssl={YesNo(tls.Implicit)}
        force_anon_logins_ssl={YesNo(tls.LoginRequired)}
        force_anon_data_ssl={YesNo(tls.DataRequired)}
        require_ssl_reuse={YesNo(tls.ReuseRequired)}
        strict_ssl_read_eof={YesNo(tls.StrictEnd)}
        rsa_cert_file={folder}/tls/server.crt
        rsa_private_key_file={folder}/tls/server.key
        {(tls.Version == TlsVersion.Tls10 ? "ssl_ciphers=ALL:@SECLEVEL=0" : "ssl_ciphers=HIGH")}
        {(tls.ClientAuthority is null ? "" : $"require_cert=YES\nvalidate_cert=YES\nca_certs_file={folder}/tls/clients.crt")}
        """;

    private static string ProFtpdTls(RealServerTls tls, string folder)
    {
        List<string> options = [];
        if (tls.Implicit)
            options.Add("UseImplicitSSL");
        if (!tls.ReuseRequired)
            options.Add("NoSessionReuseRequired");
        return $"""
            TLSEngine on
            TLSLog {folder}/tls.log
            TLSRSACertificateFile {folder}/tls/server.crt
            TLSRSACertificateKeyFile {folder}/tls/server.key
            TLSRequired {(tls.LoginRequired, tls.DataRequired) switch { (true, true) => "on", (true, false) => "ctrl", (false, true) => "data", _ => "off" }}
            {(tls.Version == TlsVersion.Any ? "" : $"TLSProtocol {tls.VersionName}")}
            {(tls.Version == TlsVersion.Tls10 ? "TLSCipherSuite ALL:@SECLEVEL=0" : "")}
            {(options.Count == 0 ? "" : $"TLSOptions {string.Join(' ', options)}")}
            {(tls.ClientAuthority is null ? "" : $"TLSVerifyClient on\nTLSCACertificateFile {folder}/tls/clients.crt")}
            """;
    }

    private static bool IsV6(IPEndPoint endPoint) => endPoint.AddressFamily == AddressFamily.InterNetworkV6;

    private static string YesNo(bool value) => value ? "YES" : "NO";
}
