using System.Net;

namespace Ferry.FunctionalTests.Harness;

/// <summary>The configuration files of the real servers.</summary>
internal static class RealServerFiles
{
    public const string User = "ferry";
    public const string Password = "secret";

    /// <summary><see cref="Password"/> as crypt(3) writes it, SHA-256.</summary>
    private const string PasswordHash = "$5$ferrytest$s3zmT5K2Zq5CnDKaFD0M5p7U6Nh3GQn0eYAkFBo40HC";

    public static string Vsftpd(IPEndPoint endPoint, string root, string empty) => $"""
        listen=YES
        listen_address={endPoint.Address}
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

        """;

    public static string ProFtpdUsers(int uid, int gid, string root) => $"{User}:{PasswordHash}:{uid}:{gid}::{root}:/bin/sh\n";

    /// <summary>With a hash that is quick to check: the one that pure-pw makes takes seconds on purpose.</summary>
    public static string PureFtpdUsers(int uid, int gid, string root) => $"{User}:{PasswordHash}:{uid}:{gid}::{root}::::::::::::\n";

    public static string ProFtpd(IPEndPoint endPoint, string folder) => $"""
        ServerType standalone
        ServerName ferry-test
        DefaultAddress {endPoint.Address}
        SocketBindTight on
        Port {endPoint.Port}
        UseIPv6 off
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
        MaxInstances 500

        """;
}
