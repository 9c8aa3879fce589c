using System.Globalization;
using System.Net;

namespace Ferry.Daemon.Demo;

/// <summary>What the demo says of itself before anything happens.</summary>
internal static class DemoText
{
    public const int MaxSessions = 64;
    public const int ZoneSize = 1 << 20;

    public static string Introduction(IPEndPoint proxy, IPEndPoint tls, IPEndPoint server, DemoCertificate certificate, string folder, bool isTemporary)
    {
        var url = $"ftp://{proxy}";
        var (listed, fetched) = isTemporary ? ("pub/", "pub/8-megabytes.bin") : ("", "FILE");
        return string.Create(CultureInfo.InvariantCulture, $$"""
            Ferry {{VersionCommand.Version}}, demo
              {{proxy,-16}} Ferry: FTP, and FTPS for clients that ask for it (AUTH TLS)
              {{tls,-16}} Ferry: FTPS with TLS from the first byte
              {{server,-16}} a small FTP server behind Ferry, which speaks no TLS
              {{DemoCommand.MinDataPort}}-{{DemoCommand.MaxDataPort}}      ports of Ferry's for data connections
            Only this machine can reach any of it. Any name and password will do.
            The files are in {{folder}}{{(isTemporary ? ", which is deleted at the end" : "")}}.

            Try it from another terminal:
              list       curl {{url}}/{{listed}}
              download   curl -O {{url}}/{{fetched}}
              upload     echo hello | curl -T - {{url}}/hello.txt
              log in     curl --user me:secret {{url}}/
              FTPS       curl --ssl-reqd -k --user demo:demo {{url}}/
              implicit   curl -k --user demo:demo ftps://{{tls}}/
              lftp       lftp -e 'set ftp:ssl-force yes; set ssl:verify-certificate no' -u demo,demo {{url}}
            With -k curl takes the certificate, which was made for this demo alone, on trust. To verify it, write in place of -k:
              --cacert {{certificate.CertificateFile}}

            The same as a configuration file, for "ferryd -c FILE"; in yours, proxy_pass names your FTP server, and the certificate is your own:
              events { worker_connections {{MaxSessions}}; }
              stream {
                  server {
                      listen {{proxy}};
                      listen {{tls}} ssl;
                      starttls on;
                      ssl_certificate {{certificate.CertificateFile}};
                      ssl_certificate_key {{certificate.KeyFile}};
                      ftp_ctrl zone=demo:{{ZoneSize >> 20}}m proxy_ip={{proxy.Address}} min_port={{DemoCommand.MinDataPort}} max_port={{DemoCommand.MaxDataPort}};
                      proxy_pass {{server}};
                  }
              }

            What happens is told below, passwords never are. Press Ctrl-C to stop.


            """);
    }
}
