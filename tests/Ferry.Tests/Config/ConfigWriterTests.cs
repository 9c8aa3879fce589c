using System.Collections;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Reflection;
using System.Text;
using Ferry.Config;

namespace Ferry.Tests.Config;

public sealed class ConfigWriterTests
{
    private const string Everything = """
        pid "run dir/ferry\".pid"; error_log stderr debug; error_log 'a{b}.log' crit; worker_rlimit_nofile 9999; worker_shutdown_timeout 90ms;
        range type=tcp src_ports=20000:20010 dst_port=9001; range type=tcp src_ports=20011:20020 dst_port=9001 family=ipv4; range type=tcp src_ports=20011:20020 dst_port=9001 family=ipv6;
        range "iptables_path=/opt/my tools/iptables"; range ip6tables_path=/opt/ip6tables ip_path=/opt/ip; range_method auto;
        events { worker_connections 7; }
        stream {
            log_format main '$remote_addr - "$ftp_user" [$time_local] \\ {${status}} ' '#end;';
            log_format other "$status";
            upstream a { hash "$remote_addr x$server_port" consistent; server 192.0.2.1:21; server ftp.example.com weight=2 max_conns=3 max_fails=4 fail_timeout=5500ms down; }
            upstream b { sticky "$remote_addr/$ftp_user" timeout=90s netmask=255.255.240.0 prefix6=56 entries=1000; server [2001:db8::1]; server 192.0.2.2 backup; health_check; }
            upstream "c d" { hash $binary_remote_addr; server 192.0.2.3; health_check interval=90s jitter=1500ms timeout=2s rise=3 fails=4 type=list "user=a b" "password_file=x y.pass" path=/pub/$x "expect=a;b" port=2121 tls=implicit mandatory; }
            upstream e { server e; }
            upstream f { server f weight=2; health_check port=5; health_check_exec /bin/sh -c "exit $server_port; #" "" ${server_addr}x; }
            upstream g { server 192.0.2.4 slow_start=90s drain; server [2001:db8::4]:2121; queue 20 timeout=5s; ftp_sorry "450 Full; come \"back\"."; health_check agent_port=9000 agent_addr=2001:db8::5 agent_interval=90s "agent_send=who are\n\"you\"?\r\n"; }
            match "m 1" { send "a\r\n\"\\x00\\"; expect "~x"; } match m2 { expect ~* "^220 \\w\"$"; }
            upstream h { server ftp.example.com resolve weight=3; server example.com service=_ftp._tcp resolve; resolver 192.0.2.53 [2001:db8::53]:5353 valid=30s ipv6=off; resolver_timeout 5s; health_check "match=m 1" mandatory port=9; }
            health_check_timeout 3s; access_log logs/a.log main; deny 192.0.2.66; proxy_timeout 1m;
            server { listen 21; listen [::]:2121 backlog=5 ipv6only=off; listen 192.0.2.9:300-305; ftp_ctrl zone=za:64k proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass a; access_log off; }
            server { listen 22; ftp_ctrl zone=zb:10m proxy_ip=2001:db8::9 min_port=11000 max_port=11010; proxy_pass b; health_check off; ftp_transfer_log t.log json; allow 10.0.0.0/8; deny all; }
            server { listen 23; ftp_ctrl zone=zc:8k proxy_ip=192.0.2.9 min_port=12000 max_port=12000; proxy_pass "c d"; ftp_pasv_address 10.0.0.0/8 2001:db8::/32; proxy_bind 2001:db8::2; access_log x.log other; }
            server { listen 24; ftp_ctrl zone=zd:8k proxy_ip=192.0.2.9 min_port=13000 max_port=13000; proxy_pass e; access_log x.log; tcp_nodelay off; health_check type=retr path=x expect=size:1k; }
            server { listen 25; ftp_ctrl zone=ze:8k proxy_ip=192.0.2.9 min_port=14000 max_port=14000; proxy_pass f; ftp_pasv_address trust; }
            server { listen 26; ftp_ctrl zone=zf:8k proxy_ip=192.0.2.9 min_port=15000 max_port=15000; proxy_pass host.example:2121; health_check match=m2 tls=implicit; ftp_data_peer any; }
            server { listen 27; ftp_ctrl zone=zg:8k proxy_ip=192.0.2.9 min_port=16000 max_port=16000; proxy_pass a; health_check type=connect; health_check_timeout 7s; }
            server { listen 990 ssl; listen 28; ftp_ctrl zone=zh:8k proxy_ip=192.0.2.9 min_port=17000 max_port=17000; proxy_pass b; starttls only;
                ssl_certificate a.pem; ssl_certificate_key "a key.pem"; ssl_certificate /etc/b.pem; ssl_certificate_key /etc/b.key; ssl_password_file pass; ssl_protocols TLSv1.3 TLSv1;
                ssl_ciphers "ALL:@SECLEVEL=0"; ssl_prefer_server_ciphers on; ssl_ecdh_curve X25519:prime256v1; ssl_dhparam dh.pem; ssl_conf_command Options -SessionTicket; ssl_conf_command Ciphersuites "A;B";
                ssl_session_timeout 90m; ssl_session_tickets off; ssl_session_ticket_key one; ssl_session_ticket_key two; ftp_tls_session_reuse required; ssl_verify_client optional;
                ssl_client_certificate ca.pem; ssl_trusted_certificate ca2.pem; ssl_crl crl.pem; ssl_verify_depth 3; ssl_handshake_timeout 5s; ftp_tls_truncation allow;
                proxy_starttls match; proxy_ftp_prot private; proxy_ssl_verify on; proxy_ssl_trusted_certificate up.pem; proxy_ssl_crl upcrl.pem; proxy_ssl_verify_depth 2; proxy_ssl_name ftp.example.com;
                proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers HIGH; proxy_ssl_conf_command Options Bugs; proxy_ssl_certificate c.pem; proxy_ssl_certificate_key c.key;
                proxy_ssl_password_file cpass; proxy_ssl_session_reuse off; }
            server { listen 29; ftp_ctrl zone=zi:8k proxy_ip=192.0.2.9 min_port=18000 max_port=18000 mode=auth; proxy_pass b; ssl_certificate a.pem; ssl_certificate_key a.key; ssl_verify_client optional_no_ca; ftp_tls_session_reuse off; proxy_ssl on; proxy_ftp_prot clear; }
            server { listen 30; ftp_ctrl zone=zj:8k proxy_ip=192.0.2.9 min_port=19000 max_port=19000; proxy_pass b; starttls on; ssl_certificate a.pem; ssl_certificate_key a.key; ssl_verify_client on; ssl_trusted_certificate ca.pem; proxy_starttls on; }
            server { listen 31; listen [::]:31; ftp_ctrl zone=zk:8k proxy_ip=auto min_port=20000 max_port=20020; proxy_pass b; proxy_ftp_data active; proxy_protocol v2; proxy_protocol_data on; proxy_ftp_ports 30000; ftp_active_source_port any; ftp_port_peer any;
                ftp_proxy_ip 10.0.0.0/8 auto; ftp_proxy_ip 192.0.2.0/24 ftp.example.com; ftp_proxy_ip 2001:db8::/32 192.0.2.10; }
            server { listen 43; ftp_ctrl zone=zy:8k proxy_ip=192.0.2.9 min_port=42000 max_port=42020; proxy_pass g; proxy_bind $remote_addr:0 transparent; ftp_sorry "530 Später."; }
            server { listen 44; ftp_ctrl zone=zz:8k proxy_ip=192.0.2.9 min_port=43000 max_port=43020; proxy_pass h; proxy_bind "$near x"; }
            server { listen 45 proxy_protocol; listen [::]:991 ssl proxy_protocol; listen 46-47 proxy_protocol; ftp_ctrl zone=zfwd:8k proxy_ip=auto min_port=44000 max_port=44020; proxy_pass h; ssl_certificate a.pem; ssl_certificate_key a.key;
                set_real_ip_from 10.0.0.2; set_real_ip_from 2001:db8::/32; proxy_protocol_timeout 1500ms; ftp_data_peer client; }
            server { listen 9001; listen [::]:9001; ftp_data zone=zk; njtmesh_dest on; }
            server { listen 32; ftp_ctrl zone=zl:8k proxy_ip=ftp.example.com min_port=21000 max_port=21020; proxy_pass b; proxy_ftp_data eprt; proxy_ftp_ports 30001-30010; ftp_active_source_port 20; ftp_port_peer 10.0.0.0/8 2001:db8::/32; }
            map "$ftp_user-$ftp_host" $pool { hostnames; volatile; default "c d"; "A b" a; *.example.com 192.0.2.7:2121; .example.org b; ftp.* ""; \\*.x $via; ~^(?<who>[^@]+)@(?<at>.+)\\.$ $who$at; "~*^x y" a; \\default b; "\\~z" b; }
            split_clients $remote_addr $via { 0.5% a; 20% b; * "c d"; }
            geo $server_addr $near { default f; 10.0.0.0/8 e; 2001:db8::/32 a; }
            server { listen 33; ftp_ctrl zone=zm:8k proxy_ip=192.0.2.9 min_port=22000 max_port=22020; proxy_pass $pool; ftp_user "$ftp_user x"; proxy_bind 192.0.2.5 transparent; ftp_greeting "Hello; you {there}"; ftp_hide_server on; }
            server { listen 34; ftp_ctrl zone=zn:8k proxy_ip=192.0.2.9 min_port=23000 max_port=23020; proxy_pass $near; access_log own.log own; }
            server { listen 35; ftp_ctrl zone=zo:8k proxy_ip=192.0.2.9 min_port=24000 max_port=24020; ftp_route "https://routes.example.com:8443/ftp;x?k=v" timeout=1500ms cache=0 entries=7 stale=1h password=on "token_file=a token" trusted_certificate=/etc/ca.pem allow=192.0.2.0/24 allow=2001:db8::/32; }
            server { listen 36; ftp_ctrl zone=zp:8k proxy_ip=192.0.2.9 min_port=25000 max_port=25020; ftp_route http://192.0.2.80/; proxy_pass $pool; }
            log_format own "$near $ftp_host $ftp_user";
            server { listen 19000 ssl; ftp_data zone=zj; ftp_tls_truncation allow; }
            server { listen 192.0.2.9:10000-10020; listen [2001:db8::9]:10000-10010; ftp_data zone=za; proxy_timeout 7s; allow all; }
        }
        """;

    private static string Effective(ConfigFile file)
    {
        var text = new StringWriter();
        file.WriteEffective(text);
        return text.ToString();
    }

    [Theory]
    [InlineData("everything")]
    [InlineData("opennjet/plain-port-range.conf")]
    [InlineData("opennjet/implicit-tls-port-range.conf")]
    [InlineData("opennjet/implicit-tls-single-port.conf")]
    [InlineData("tls-idle.conf")]
    [InlineData("notes.conf")]
    public void What_is_written_is_read_back_as_the_same_configuration(string name)
    {
        var text = name == "everything" ? Everything : File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Config", "Cases", name));
        var first = ConfigFile.Parse(text, "first", "/srv/ferry");
        Assert.DoesNotContain(first.Diagnostics, d => d.Severity == ConfigSeverity.Error);

        var written = Effective(first);
        var second = ConfigFile.Parse(written, "second", "/elsewhere");

        // What old versions of TLS take is said each time that they are read.
        Assert.DoesNotContain(second.Diagnostics, d => d.Severity != ConfigSeverity.Warning && !d.Message.Contains("security level", StringComparison.Ordinal));
        Assert.Equal(Describe(first.Config), Describe(second.Config));
        Assert.Equal(written, Effective(second));
    }

    [Fact]
    public void Inherited_values_and_defaults_stand_in_each_server()
    {
        var written = Effective(ConfigFile.Parse(Everything, "first", "/srv/ferry"));

        Assert.Equal(19, written.Split("        proxy_timeout 60s;\n").Length - 1);
        Assert.Equal(19, written.Split("        proxy_connect_timeout 60s;\n").Length - 1);
        Assert.Contains("    upstream f {\n        server f weight=2", written, StringComparison.Ordinal);
        Assert.Contains("        proxy_pass host.example:2121;\n", written, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_written_of_a_configuration_with_an_error() => Assert.Empty(Effective(ConfigFile.Parse("nonsense;")));

    [Fact]
    public void A_long_format_survives()
    {
        var format = string.Concat(Enumerable.Repeat("$remote_addr \\\" ", 250));
        var text = $"stream {{ log_format long \"{format}\" '{new string('x', 4000)}'; access_log a long; "
            + "server { listen 21; ftp_ctrl zone=z:8k proxy_ip=192.0.2.9 min_port=1000 max_port=1001; proxy_pass 192.0.2.1; } }";
        var first = ConfigFile.Parse(text, "first", "/srv");

        var second = ConfigFile.Parse(Effective(first), "second");

        Assert.Empty(second.Diagnostics);
        Assert.Equal(first.Config!.Servers[0].AccessLog!.Format!.Text, second.Config!.Servers[0].AccessLog!.Format!.Text);
    }

    /// <summary>All that a configuration holds, but for places in files: records with arrays in them do not compare by value.</summary>
    private static string Describe(object? value, int depth = 0)
    {
        switch (value)
        {
            case null:
                return "null";
            case string or IPAddress or IPEndPoint or IPNetwork or Enum or IFormattable or bool:
                return Convert.ToString(value, CultureInfo.InvariantCulture)!;
            case IEnumerable list:
                return $"[{string.Join(", ", list.Cast<object>().Select(o => Describe(o, depth + 1)))}]";
        }
        Assert.InRange(depth, 0, 12);
        var text = new StringBuilder("\n").Append(' ', depth * 2).Append(value.GetType().Name);
        foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.PropertyType != typeof(ConfigPosition) && p.GetIndexParameters().Length == 0))
            text.Append(' ').Append(property.Name).Append('=').Append(Describe(property.GetValue(value), depth + 1));
        return text.ToString();
    }
}
