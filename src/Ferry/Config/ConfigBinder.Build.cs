using System.Collections.Immutable;
using System.Linq;
using System.Net;

namespace Ferry.Config;

/// <summary>Makes the records out of the drafts, once all is known: hands down, joins control and data servers, fills in defaults.</summary>
internal sealed partial class ConfigBinder
{
    /// <summary>Gives each control server its upstream and reports what it names wrongly.</summary>
    public void ResolveNames()
    {
        CheckVariables();
        foreach (var server in Main.Servers)
        {
            if (server.Data is null)
                Route(server);
            CheckFormat(server.Scope);
        }
        BindHealth();
        CheckFormat(Main.Stream);
    }

    private void CheckFormat(ConfigScope scope)
    {
        if (scope.AccessLog.Else(null)?.Format is { } name && name.Text != "json" && !Main.Formats.ContainsKey(name.Text))
            findings.Error(name,
                $"unknown log format {ConfigFindings.Show(name.Text)}{Spelling.DidYouMean(name.Text, [.. Main.Formats.Keys, "json"])}");
    }

    /// <summary>The configuration; only called where no error was found.</summary>
    public FerryConfig Build()
    {
        var servers = ImmutableArray.CreateBuilder<ServerConfig>();
        foreach (var server in Main.Servers)
        {
            if (server is { Control: not null, Zone: { } zone, Upstream: { } upstream })
                servers.Add(BuildServer(server, zone, upstream));
        }
        var defaults = new FerryConfig();
        return new FerryConfig
        {
            PidFile = Main.PidFile,
            ErrorLogs = [.. Main.ErrorLogs],
            MaxSessions = Main.MaxSessions ?? defaults.MaxSessions,
            MaxOpenFiles = Main.MaxOpenFiles,
            ShutdownTimeout = Main.ShutdownTimeout ?? defaults.ShutdownTimeout,
            Ranges = [.. BuildRanges()],
            RangeMethod = Main.EffectiveRangeMethod,
            IptablesPath = Tool("iptables_path"),
            Ip6tablesPath = Tool("ip6tables_path"),
            IpPath = Tool("ip_path"),
            Variables = [.. Main.Variables.Values.Select(v => v.Config!)],
            Servers = servers.ToImmutable(),
        };
    }

    private ServerConfig BuildServer(ServerDraft draft, ZoneConfig zone, UpstreamConfig upstream)
    {
        var (own, outer) = (draft.Scope, Main.Stream);
        var defaults = new ServerConfig { Listens = [], Zone = zone, Upstream = upstream };
        return defaults with
        {
            Listens = [.. draft.Listens.SelectMany(l => Enumerable.Range(l.First, l.Last - l.First + 1)
                .Select(port => new ListenConfig(new IPEndPoint(l.Address, port), l.Backlog, l.Place.Position, l.IsSsl, l.ProxyProtocol is not null)))],
            Data = BuildData(draft, Main.Servers.Find(s => s.DataZone?.Text == zone.Name)),
            ProxyAddresses = [.. own.ProxyAddresses.Count > 0 ? own.ProxyAddresses : outer.ProxyAddresses],
            ClientTls = BuildClientTls(draft),
            UpstreamTls = BuildUpstreamTls(draft),
            IdleTimeout = own.IdleTimeout.Or(outer.IdleTimeout).Else(defaults.IdleTimeout),
            ConnectTimeout = own.ConnectTimeout.Or(outer.ConnectTimeout).Else(defaults.ConnectTimeout),
            BannerTimeout = own.BannerTimeout.Or(outer.BannerTimeout).Else(defaults.BannerTimeout),
            LoginTimeout = own.LoginTimeout.Or(outer.LoginTimeout).Else(defaults.LoginTimeout),
            Bind = own.Bind.Or(outer.Bind).Else(defaults.Bind),
            ProxyProtocol = own.ProxyProtocol.Or(outer.ProxyProtocol).Else(defaults.ProxyProtocol),
            ProxyProtocolTimeout = own.ProxyProtocolTimeout.Or(outer.ProxyProtocolTimeout).Else(defaults.ProxyProtocolTimeout),
            RealIpFrom = [.. (own.RealIpFrom.Count > 0 ? own : outer).RealIpFrom.Select(static f => f.Network).OfType<IPNetwork>()],
            NextUpstream = own.NextUpstream.Or(outer.NextUpstream).Else(defaults.NextUpstream),
            NextUpstreamTimeout = own.NextUpstreamTimeout.Or(outer.NextUpstreamTimeout).Else(defaults.NextUpstreamTimeout),
            NextUpstreamTries = own.NextUpstreamTries.Or(outer.NextUpstreamTries).Else(defaults.NextUpstreamTries),
            Sorry = own.Sorry.Or(outer.Sorry).Else(defaults.Sorry),
            TcpNoDelay = own.TcpNoDelay.Or(outer.TcpNoDelay).Else(defaults.TcpNoDelay),
            SocketKeepalive = own.SocketKeepalive.Or(outer.SocketKeepalive).Else(defaults.SocketKeepalive),
            AccessRules = [.. own.AccessRules.Count > 0 ? own.AccessRules : outer.AccessRules],
            AccessLog = BuildAccessLog(own.AccessLog.Or(outer.AccessLog).Else(null)),
            TransferLog = own.TransferLog.Or(outer.TransferLog).Else(null),
            Route = draft.Route is { } route && (route.AtUser || route.Target.Parts.Any(p => p.IsVariable)) ? route : null,
            Greeting = own.Greeting.Or(outer.Greeting).Else(null),
            HideServer = own.HideServer.Or(outer.HideServer).Else(defaults.HideServer),
            Position = draft.Node.Position,
        };
    }

    private DataConfig BuildData(ServerDraft control, ServerDraft? data)
    {
        var (inner, own, outer) = (data?.Scope ?? new ConfigScope(), control.Scope, Main.Stream);
        var defaults = new DataConfig();
        return new DataConfig
        {
            Addresses = data is null ? [] : DataAddresses(data),
            Peer = inner.DataPeer.Or(own.DataPeer).Or(outer.DataPeer).Else(defaults.Peer),
            PassiveAddress = inner.PassiveAddress.Or(own.PassiveAddress).Or(outer.PassiveAddress).Else(defaults.PassiveAddress),
            ConnectTimeout = inner.DataConnectTimeout.Or(own.DataConnectTimeout).Or(outer.DataConnectTimeout).Else(defaults.ConnectTimeout),
            StallTimeout = inner.DataTimeout.Or(inner.IdleTimeout).Or(own.DataTimeout).Or(outer.DataTimeout).Else(defaults.StallTimeout),
            MaxPortsPerClient = inner.ClientPorts.Or(own.ClientPorts).Or(outer.ClientPorts).Else(defaults.MaxPortsPerClient),
            TlsRequired = data?.Listens.Exists(l => l.IsSsl) ?? defaults.TlsRequired,
            UpstreamMode = own.UpstreamMode.Or(outer.UpstreamMode).Else(defaults.UpstreamMode),
            ProxyProtocol = own.DataProxyProtocol.Or(outer.DataProxyProtocol).Else(defaults.ProxyProtocol),
            UpstreamPorts = own.UpstreamPorts.Or(outer.UpstreamPorts).Else(defaults.UpstreamPorts),
            ActivePeer = own.ActivePeer.Or(outer.ActivePeer).Else(defaults.ActivePeer),
            ActiveSourcePort = own.ActiveSourcePort.Or(outer.ActiveSourcePort).Else(defaults.ActiveSourcePort),
            RedirectPort = data?.RedirectPort,
            Truncation = inner.Tls.Truncation.Or(own.Tls.Truncation).Or(outer.Tls.Truncation).Else(defaults.Truncation),
            // The control server's own rules speak of control connections; those of stream speak of every listener.
            AccessRules = [.. inner.AccessRules.Count > 0 ? inner.AccessRules : outer.AccessRules],
        };
    }

    /// <summary>The addresses of a data server, without those that a wildcard of their family holds already.</summary>
    public static ImmutableArray<IPAddress> DataAddresses(ServerDraft data)
    {
        var addresses = data.Listens.Select(l => l.Address).Distinct().ToList();
        return [.. addresses.Where(a => ConfigValue.IsWildcard(a) || !addresses.Exists(w => ConfigValue.IsWildcard(w) && w.AddressFamily == a.AddressFamily))];
    }

    private AccessLogConfig? BuildAccessLog(AccessLogDraft? draft) => draft is null
        ? null
        : new AccessLogConfig(draft.Path, draft.Format is { } name && Main.Formats.TryGetValue(name.Text, out var format) ? format.Template : null);
}
