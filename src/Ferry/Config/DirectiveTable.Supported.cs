namespace Ferry.Config;

/// <summary>The directives that do something: of the main context, of logs, of <c>stream</c>.</summary>
internal static partial class DirectiveTable
{
    private static IEnumerable<Directive> Supported() => [.. MainRows(), .. LogRows(), .. StreamRows(), .. UpstreamRows(), .. BalancingRows(), .. RuntimeRows(), .. ProxyRows(), .. ProxyProtocolRows(), .. FtpRows(), .. DataRows(), .. RangeRows(), .. HealthRows(), .. ClientTlsRows(), .. UpstreamTlsRows()];

    private static IEnumerable<Directive> MainRows() =>
    [
        new("include", Anywhere, "include FILE | PATTERN;", "none",
            "Reads another file in this place. A pattern may hold `*`, `?` and `[a-z]` in any part of the path; its matches are read in sorted order, and none is no error. A plain name must exist. Relative names begin at the folder of the main file.")
        { Repeats = true },
        new("pid", InMain, "pid FILE;", "none",
            "Writes the process id to a file, which `ferryd -s` needs. Without it none is written.")
        { Set = (b, n) => b.SetPid(n) },
        new("worker_rlimit_nofile", InMain, "worker_rlimit_nofile NUMBER;", "none",
            "Asks the kernel for so many open files; without it the limit stays as it is. A session takes two, a running transfer four more.")
        { Set = (b, n) => b.SetOpenFiles(n) },
        new("worker_shutdown_timeout", InMain, "worker_shutdown_timeout TIME;", "1h",
            "How long running transfers may go on after SIGQUIT or a reload before they are cut. nginx has no limit by default.")
        { Set = (b, n) => b.SetShutdownTimeout(n) },
        new("events", InMain, "events { ... }", "none",
            "The block that holds `worker_connections`. It may be left out.")
        { MinArguments = 0, MaxArguments = 0, IsBlock = true, Opens = InEvents, Set = (b, n) => b.SetEvents(n) },
        new("worker_connections", InEvents, "worker_connections NUMBER;", "512",
            "Most sessions at a time. A client beyond it is told 421 and closed. In nginx this counts connections to servers too, and each worker has its own.")
        { Set = (b, n) => b.SetWorkerConnections(n) },
        new("stream", InMain, "stream { ... }", "none",
            "The block that holds upstreams and servers. What is set in it is handed down to every server that does not set it itself.")
        { MinArguments = 0, MaxArguments = 0, IsBlock = true, Opens = InStream, Set = (b, n) => b.SetStream(n) },
    ];

    private static IEnumerable<Directive> LogRows() =>
    [
        new("error_log", InMain | InBoth, "error_log FILE | stderr [LEVEL];", "stderr error",
            "Where messages go, and the least severe that are written: debug, info, notice, warn, error (when left out), crit, alert or emerg. Each line adds a place. Ferry has one set of places for the whole process, whatever block the line stands in; notice is the same as warn, and the last three are the same.")
        { MaxArguments = 2, Repeats = true, Set = (b, n) => b.SetErrorLog(n) },
        new("log_format", InStream, "log_format NAME [escape=default | json | none] TEXT ...;", "none",
            "Names a form for the lines of `access_log`: texts with variables, joined. The name `json` is taken; `escape=` is accepted and changes nothing, because control characters are always escaped.")
        { MinArguments = 2, MaxArguments = Directive.Many, Repeats = true, Set = (b, n) => b.SetLogFormat(n) },
        new("access_log", InBoth, "access_log FILE [FORMAT] | off;", "off",
            "Writes a line for each session when it ends. Without a format, or with `json`, the line is a JSON object.")
        { MaxArguments = Directive.Many, ControlOnly = true, Set = (b, n) => b.SetAccessLog(n) },
        new("ftp_transfer_log", InBoth, "ftp_transfer_log FILE [xferlog | json] | off;", "off",
            "Writes a line for each transfer when it ends, in the form of wu-ftpd's xferlog, which vsftpd and ProFTPD write too, or as a JSON object.")
        { MaxArguments = 2, ControlOnly = true, Set = (b, n) => b.SetTransferLog(n) },
    ];

    private static IEnumerable<Directive> StreamRows() =>
    [
        new("server", InStream, "server { ... }", "none",
            "A control server, with `ftp_ctrl`, or the data server of a zone, with `ftp_data`.")
        { MinArguments = 0, MaxArguments = 0, IsBlock = true, Opens = InServer, Repeats = true, Set = (b, n) => b.SetServer(n) },
        new("listen", InServer, "listen [ADDR:]PORT[-PORT] [backlog=NUMBER] [bind] [ipv6only=on | off] [mesh] [proxy_protocol] [reuseport] [so_keepalive=VALUE] [ssl];", "none",
            "Where clients connect. Without an address it is every IPv4 address; IPv6 stands in brackets. A control server needs one line at least. The lines of a data server must cover the ports of its zone, and say which addresses those are opened on; or they have one port, to which `range` redirects those of the zone; or it has none, and the ports are opened on the addresses of the control server. `backlog=` is 511 when left out; `mesh` is another spelling of `njtmesh_dest on`. With `ssl` clients speak TLS from the first byte (implicit FTPS); on a line of a data server it means that clear data is refused (534). With `proxy_protocol` every connection must begin with a PROXY header, of version 1 or 2, before any TLS; only lines of a control server may have it.")
        { MaxArguments = Directive.Many, Repeats = true, Set = (b, n) => b.SetListen(n) },
        new("allow", InBoth, "allow ADDR | NETWORK | all;", "all",
            "Lets clients in. Of `allow` and `deny` the first line that matches decides; where none matches, the client is let in. Lines of a server replace those of `stream`. A client behind a balancer of `set_real_ip_from` counts with its own address.")
        { Repeats = true, Set = (b, n) => b.SetAccess(n) },
        new("deny", InBoth, "deny ADDR | NETWORK | all;", "none",
            "Keeps clients out; see `allow`. In a data server `allow` and `deny` speak of data connections.")
        { Repeats = true, Set = (b, n) => b.SetAccess(n) },
        new("tcp_nodelay", InBoth, "tcp_nodelay on | off;", "on",
            "Sends the lines of the control channel without waiting to gather more.")
        { ControlOnly = true, Set = (b, n) => b.SetOnOff(n, (s, v) => s.TcpNoDelay = v) },
    ];

    private static IEnumerable<Directive> UpstreamRows() =>
    [
        new("upstream", InStream, "upstream NAME { ... }", "none",
            "A group of FTP servers that `proxy_pass` can name. They take turns, by weight, unless another method is named; see [Choosing a server](#choosing-a-server).")
        { IsBlock = true, Opens = InUpstream, Repeats = true, Set = (b, n) => b.SetUpstream(n) },
        new("server", InUpstream, "server ADDR[:PORT] [weight=NUMBER] [max_conns=NUMBER] [max_fails=NUMBER] [fail_timeout=TIME] [slow_start=TIME] [backup] [down] [drain] [resolve] [service=NAME];", "none",
            "A server of the group, by address or by name; a name is resolved when the configuration is loaded, and each of its addresses is a server. The port is 21 when left out. `resolve`: the name is resolved again whenever the answer is out of date; new addresses become servers, and those that are gone get no new sessions. `service=NAME`, with `resolve` and without a port: SRV records tell servers and ports, `ftp` standing for `_ftp._tcp`; those of the highest priority are used, the others are backups, and their weights count where the line has none. `weight=1`: its share of new sessions. `max_conns=0`: most sessions at a time, 0 is no limit. `max_fails=1` and `fail_timeout=10s`: after so many failures within the time the server is left alone for that time; 0 never does. `backup`: used while no other can be. `down`: never used. `drain`: gets no new sessions, and those that run go on. `slow_start=0`: after the server has failed and come back, or was `down` or added while Ferry runs, its share of new sessions grows over that time from nothing to its weight; not where it is the only server, and only where servers take turns or with `least_conn`.")
        { MaxArguments = Directive.Many, Repeats = true, Set = (b, n) => b.SetUpstreamServer(n) },
    ];

    private static IEnumerable<Directive> ProxyRows() =>
    [
        new("proxy_pass", InServer, "proxy_pass UPSTREAM | ADDR[:PORT];", "none",
            "The servers behind a control server: an upstream, or one address or name, port 21 when left out. An `ftp_data` server has none, because its data goes where the session goes.")
        { Set = (b, n) => b.SetProxyPass(n) },
        new("proxy_timeout", InBoth, "proxy_timeout TIME;", "10m",
            "Ends a session whose control channel was silent for so long; the clock stands still while data flows. In a data server it is `ftp_data_timeout` by another name.")
        { Set = (b, n) => b.SetTime(n, (s, v) => s.IdleTimeout = v) },
        new("proxy_connect_timeout", InBoth, "proxy_connect_timeout TIME;", "60s",
            "The bound of one attempt to connect to a server.")
        { ControlOnly = true, Set = (b, n) => b.SetTime(n, (s, v) => s.ConnectTimeout = v) },
        new("proxy_bind", InBoth, "proxy_bind ADDR | $VARIABLE | off [transparent];", "off",
            "The address that servers see connections come from, control and data. With `transparent` it need not be one of this machine: `proxy_bind $remote_addr transparent` is the client's own.")
        { MaxArguments = 2, ControlOnly = true, Set = (b, n) => b.SetBind(n) },
        new("proxy_next_upstream", InBoth, "proxy_next_upstream on | off;", "on",
            "Tries the next server when one cannot be reached or fails before its greeting. The client notices nothing.")
        { ControlOnly = true, Set = (b, n) => b.SetOnOff(n, (s, v) => s.NextUpstream = v) },
        new("proxy_next_upstream_timeout", InBoth, "proxy_next_upstream_timeout TIME;", "0",
            "The bound of all attempts together, the one that runs included; 0 is none. It begins with the first attempt.")
        { ControlOnly = true, Set = (b, n) => b.SetTime(n, (s, v) => s.NextUpstreamTimeout = v, zero: true) },
        new("proxy_next_upstream_tries", InBoth, "proxy_next_upstream_tries NUMBER;", "0",
            "Most servers that are tried for one session; 0 is all of them.")
        { ControlOnly = true, Set = (b, n) => b.SetNumber(n, int.MaxValue, (s, v) => s.NextUpstreamTries = v) },
        new("proxy_socket_keepalive", InBoth, "proxy_socket_keepalive on | off;", "on",
            "TCP keep-alive on both control connections, after two minutes of silence, so that no firewall forgets them during a long transfer. In nginx it is off, and concerns the server's side only.")
        { ControlOnly = true, Set = (b, n) => b.SetOnOff(n, (s, v) => s.SocketKeepalive = v) },
    ];

    private static IEnumerable<Directive> FtpRows() =>
    [
        new("ftp_ctrl", InServer, "ftp_ctrl zone=NAME:SIZE proxy_ip=ADDR | NAME | auto min_port=NUMBER max_port=NUMBER [mode=plain | encry | auth];", "none",
            "Makes the server a control server. Passive ports are taken from `min_port` to `max_port`; clients are told `proxy_ip` and the port. A name is resolved when the configuration is loaded, its IPv4 address before others; `auto` is the address that the client has connected to, behind a balancer of `set_real_ip_from` the balancer's. The zone is the table of ports on loan: each loan takes 256 bytes of its size, which is at least 8k. The four parameters come in any order; `mode=` is accepted from files of OpenNJet: `auth` means `starttls on` where there is a certificate and no `starttls`, the others change nothing.")
        { MinArguments = 0, MaxArguments = Directive.Many, Set = (b, n) => b.SetControl(n) },
        new("ftp_data", InServer, "ftp_data zone=NAME;", "none",
            "Makes the server the data server of a zone. Ferry needs none: it is there for files of OpenNJet and for settings of its own.")
        { Set = (b, n) => b.SetData(n) },
        new("njtmesh_dest", InServer, "njtmesh_dest on | off;", "off",
            "Makes the port of a data server the one to which all ports of its zone are redirected: single-port mode. The port that a client dialled is taken from the kernel. The port lies outside of the zone's, and lines of `range` lead there. A data server that listens on all ports of its zone needs it not, and gets a note.")
        { Set = (b, n) => b.SetMesh(n) },
        new("ftp_banner_timeout", InBoth, "ftp_banner_timeout TIME;", "30s",
            "How long a server may take from accepting a connection to its greeting.")
        { ControlOnly = true, Set = (b, n) => b.SetTime(n, (s, v) => s.BannerTimeout = v) },
        new("ftp_login_timeout", InBoth, "ftp_login_timeout TIME;", "2m",
            "How long a client may take from connecting to being logged in.")
        { ControlOnly = true, Set = (b, n) => b.SetTime(n, (s, v) => s.LoginTimeout = v) },
        new("ftp_data_connect_timeout", InBoth, "ftp_data_connect_timeout TIME;", "60s",
            "How long a port on loan waits for its client, and a client for the data port of its server.")
        { Set = (b, n) => b.SetTime(n, (s, v) => s.DataConnectTimeout = v) },
        new("ftp_data_timeout", InBoth, "ftp_data_timeout TIME;", "5m",
            "Cuts a transfer that moved no byte for so long.")
        { Set = (b, n) => b.SetTime(n, (s, v) => s.DataTimeout = v) },
        new("ftp_data_peer", InBoth, "ftp_data_peer control | client | any;", "control",
            "Who may use a port on loan: only the address that the control connection came from, or any. For a client behind a balancer of `set_real_ip_from`, `control` is its own address and the balancer's, so that the clients of one balancer share no ports; `client` is its own alone. With `any`, a port is lent to one client at a time, and whoever finds it first gets the data.")
        { Set = (b, n) => b.SetDataPeer(n) },
        new("ftp_pasv_address", InBoth, "ftp_pasv_address control | trust | NETWORK ...;", "control",
            "Which address is dialled for data: that of the server that the session is tied to, whatever its reply to PASV says; the one that it says; or the one that it says where that lies in one of the networks.")
        { MaxArguments = 256, Set = (b, n) => b.SetPassiveAddress(n) },
        new("ftp_client_ports", InBoth, "ftp_client_ports NUMBER;", "0",
            "Most ports that one client address holds at a time; 0 is the whole range.")
        { Set = (b, n) => b.SetNumber(n, ConfigValue.MaxPort, (s, v) => s.ClientPorts = v) },
    ];
}
