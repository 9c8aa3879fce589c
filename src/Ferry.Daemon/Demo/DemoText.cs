using System.Globalization;
using System.Net;

namespace Ferry.Daemon.Demo;

/// <summary>What the demo says of itself before anything happens.</summary>
internal static class DemoText
{
    public const int MaxSessions = 64;
    public const int ZoneSize = 1 << 20;

    public static string Introduction(IPEndPoint proxy, IPEndPoint server, string folder, bool isTemporary)
    {
        var url = $"ftp://{proxy}";
        var (listed, fetched) = isTemporary ? ("pub/", "pub/8-megabytes.bin") : ("", "FILE");
        return string.Create(CultureInfo.InvariantCulture, $$"""
            Ferry {{VersionCommand.Version}}, demo: Ferry listens on {{proxy}}, and a small FTP server stands behind it on {{server}}.
            Data connections come to the ports {{DemoCommand.MinDataPort}}-{{DemoCommand.MaxDataPort}}. It is plain FTP, and only this machine can reach it.
            The files are in {{folder}}{{(isTemporary ? ", which is deleted at the end" : "")}}. Any name and password will do.

            Try it from another terminal:
              list       curl {{url}}/{{listed}}
              download   curl -O {{url}}/{{fetched}}
              upload     echo hello | curl -T - {{url}}/hello.txt
              log in     curl -u me:secret {{url}}/
              lftp       lftp -u me,secret {{url}}

            The same as a configuration file, for "ferryd -c FILE"; in yours, proxy_pass names your FTP server:
              events { worker_connections {{MaxSessions}}; }
              stream {
                  server {
                      listen {{proxy}};
                      ftp_ctrl zone=demo:{{ZoneSize >> 20}}m proxy_ip={{proxy.Address}} min_port={{DemoCommand.MinDataPort}} max_port={{DemoCommand.MaxDataPort}};
                      proxy_pass {{server}};
                  }
              }

            What happens is told below, passwords never are. Press Ctrl-C to stop.


            """);
    }
}
