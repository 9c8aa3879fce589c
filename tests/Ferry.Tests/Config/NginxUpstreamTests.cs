using Ferry.Config;

namespace Ferry.Tests.Config;

/// <summary>Upstream blocks with the parameters and in the forms of NGINX's documentation load as they stand.</summary>
public sealed class NginxUpstreamTests
{
    [Theory]
    [InlineData("upstream back { zone back 64k; server back1.example.com:12345 weight=5; server 192.0.2.1:12345 max_fails=3 fail_timeout=30s; server back2.example.com:12345 backup; server back3.example.com:12345 backup; }")]
    [InlineData("resolver 10.0.0.1; upstream dynamic { zone upstream_dynamic 64k; server back1.example.com:12345 weight=5; server back2.example.com:12345 fail_timeout=5s slow_start=30s; server 192.0.2.1:12345 max_fails=3; server back3.example.com:12345 resolve; server back4.example.com service=ftp resolve; server back5.example.com:12345 backup; }")]
    [InlineData("upstream back { zone one 1m; state /var/lib/nginx/state/servers.conf; }")]
    [InlineData("upstream back { zone back 64k; server 192.0.2.1 max_conns=3; server 192.0.2.2 max_conns=3; queue 100 timeout=70; }")]
    [InlineData("resolver 127.0.0.1 [::1]:5353 valid=30s; resolver_timeout 5s; upstream u { zone u 1m; server example.com resolve; server example.com:8080 slow_start=1m drain; }")]
    [InlineData("upstream u { zone u 1m; resolver 10.0.0.1 10.0.0.2:5353 valid=10m ipv6=off status_zone=dns; resolver_timeout 10s; server example.com service=_ftp._tcp resolve; server example.com service=server1.back resolve; }")]
    public void A_block_of_the_documentation_loads_unchanged(string upstream)
    {
        var name = upstream.Contains("upstream dynamic") ? "dynamic" : upstream.Contains("upstream back") ? "back" : "u";
        var read = ConfigFile.Parse($"stream {{ {upstream} server {{ listen 21; ftp_ctrl zone=a:1m proxy_ip=192.0.2.9 min_port=10000 max_port=10010; proxy_pass {name}; }} }}");

        Assert.DoesNotContain(read.Diagnostics, d => d.Severity != ConfigSeverity.Note);
        Assert.Equal(name, Assert.Single(read.Config!.Servers).Upstream.Name);
        Assert.Equal(upstream.Split("server ").Length - 1, read.Config.Servers[0].Upstream.Servers.Length);
    }
}
