using System.Collections.Immutable;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using Ferry.Config;
using Ferry.Sessions;
using Ferry.Telemetry;
using Ferry.Transport;
using Ferry.Transport.Tls;
using Ferry.Upstreams;
using Microsoft.Extensions.Logging;

namespace Ferry.Hosting;

/// <summary>Builds and binds a generation beside the one in force. What it could not do is told, and leaves nothing behind.</summary>
internal sealed partial class GenerationBuilder
{
    private readonly FerryConfig _config;
    private readonly Generation? _previous;
    private readonly ProxyParts _parts;
    private readonly Generation _made;
    private readonly List<string> _errors = [];
    private readonly List<PortPool> _newPools = [];
    private readonly List<ControlListener> _newListeners = [];
    private IReadOnlyDictionary<string, IPAddress> _announced = new Dictionary<string, IPAddress>();

    public GenerationBuilder(FerryConfig config, Generation? previous, ProxyParts parts, Func<Generation, Task> ended)
    {
        _config = config;
        _previous = previous;
        _parts = parts;
        _made = new Generation(config, ended);
    }

    /// <summary>Builds.</summary>
    /// <returns>The generation, not yet accepting; or null and everything that stood in the way.</returns>
    public async Task<(Generation? Generation, IReadOnlyList<string> Errors)> BuildAsync(CancellationToken ct)
    {
        if (_config.Servers.IsDefaultOrEmpty)
            _errors.Add("the configuration has no server with \"ftp_ctrl\", so there is nothing to do");
        var isMade = false;
        try
        {
            OpenErrorLogs();
            Tell(TransparentPlan.Check(_config, ConfigSeverity.Error));
            var groups = await ResolveAsync(ct).ConfigureAwait(false);
            if (_errors.Count == 0)
                BuildServers(groups);
            if (_errors.Count == 0)
                BindListeners();
            if (_errors.Count == 0)
                await ChangeRulesAsync().ConfigureAwait(false);
            isMade = _errors.Count == 0;
        }
        finally
        {
            if (!isMade)
                await UndoAsync().ConfigureAwait(false);
        }
        return isMade ? (_made, []) : (null, _errors);
    }

    /// <summary>The addresses of a name, IPv4 first where both work, as the resolver orders them.</summary>
    public static Task<IPAddress[]> Resolve(string name, CancellationToken ct) => Dns.GetHostAddressesAsync(name, ct);

    private async Task UndoAsync()
    {
        _newListeners.ForEach(static l => l.Dispose());
        _newPools.ForEach(static p => p.Dispose());
        _made.TlsContexts.ForEach(static c => c.Dispose());
        _made.Lookups.ForEach(static l => l.Dispose());
        foreach (var log in _made.Logs)
            await log.DisposeAsync().ConfigureAwait(false);
    }

    private void OpenErrorLogs()
    {
        if (!_parts.OwnsErrorLog)
            return;
        // As nginx: without error_log, errors go where the one who started it sees them.
        ImmutableArray<ErrorLogConfig> lines = _config.ErrorLogs.IsDefaultOrEmpty ? [new ErrorLogConfig("stderr", LogLevel.Error)] : _config.ErrorLogs;
        foreach (var line in lines)
        {
            if (OpenLog(line.Path, LogSyntax.Text) is { } file)
                _made.ErrorLogs.Add(new ErrorLogTarget(file, line.Level));
        }
    }

    private LogFile? OpenLog(string path, LogSyntax syntax)
    {
        if (!_parts.LogFiles.TryOpen(path, syntax, out var file, out var error))
        {
            if (!_errors.Contains(error))
                _errors.Add(error);
            return null;
        }
        _made.Logs.Add(file);
        return file;
    }

    private async Task<Dictionary<UpstreamConfig, UpstreamGroup>> ResolveAsync(CancellationToken ct)
    {
        var groups = new Dictionary<UpstreamConfig, UpstreamGroup>(ReferenceEqualityComparer.Instance);
        foreach (var upstream in _config.Servers.SelectMany(static s => s.Places))
        {
            if (groups.ContainsKey(upstream))
                continue;
            var before = _previous?.Groups.FirstOrDefault(g => g.Name == upstream.Name);
            if (WithState(upstream) is not { } current)
                continue;
            var result = await UpstreamGroup.CreateAsync(current, Resolve, _parts.Time, before, _parts.Logger, ct).ConfigureAwait(false);
            if (result.Group is { } group)
                groups.Add(upstream, group);
            Tell(result.Errors);
            foreach (var warning in result.Warnings)
                Log.Unresolved(_parts.Logger, warning.Position, warning.Message);
        }
        (_announced, var unknown) = await AnnouncedNames.ResolveAsync(_config, Resolve, _parts.Time, ct).ConfigureAwait(false);
        Tell(unknown);
        return groups;
    }

    private void Tell(IEnumerable<ConfigDiagnostic> errors)
    {
        foreach (var error in errors)
        {
            var text = $"{error.Position}: {error.Message}";
            if (!_errors.Contains(text))
                _errors.Add(text);
        }
    }

    private void BuildServers(Dictionary<UpstreamConfig, UpstreamGroup> groups)
    {
        var servers = ImmutableArray.CreateBuilder<ControlServer>();
        var pools = ImmutableArray.CreateBuilder<PortPool>();
        var variables = new VariableTable(_config.Variables);
        foreach (var config in _config.Servers)
        {
            var pool = ClientPool(config);
            var upstreamZone = UpstreamZone(config);
            var isTransparent = config.Bind is { IsTransparent: true };
            var upstreamPool = _previous?.Pools.FirstOrDefault(p => p.IsTransparent == isTransparent && p.Fits(upstreamZone, DataPeerPolicy.Control, []));
            if (upstreamPool is null)
                _newPools.Add(upstreamPool = new PortPool(upstreamZone, DataPeerPolicy.Control, _parts.Time, _parts.Logger) { IsTransparent = isTransparent });
            pools.AddRange(pool, upstreamPool);
            var access = config.AccessLog is { } line && OpenLog(line.Path, line.Format is null ? LogSyntax.Json : LogSyntax.Text) is { } file
                ? new AccessLog(file, _parts.Time, line.Format is null ? null : line.Format.Expand)
                : null;
            var transfers = config.TransferLog is { } transferLine && OpenTransferLog(transferLine) is { } log ? log : null;
            servers.Add(new ControlServer
            {
                ClientTls = config.ClientTls is { } towardsClients ? Tls(found => ReloadingTlsContext.TryCreate(towardsClients, config.Zone.Name, found, _parts.Time, _parts.Logger)) : null,
                UpstreamTls = config.UpstreamTls.Mode == UpstreamTls.Off ? null : Tls(found => ReloadingTlsContext.TryCreate(config.UpstreamTls, found, _parts.Time, _parts.Logger)),
                PeerName = PeerName(config, config.Upstream),
                Lingering = _parts.Lingering,
                Config = config,
                Upstreams = groups[config.Upstream],
                Places = (config.Route?.Upstreams ?? []).ToDictionary(static u => u.Name, u => new RoutePlace(groups[u], PeerName(config, u)), StringComparer.Ordinal),
                Variables = variables,
                Lookup = Lookup(config),
                Ports = pool,
                UpstreamPorts = upstreamPool,
                Announced = Announced(config),
                Metrics = _parts.Metrics,
                Time = _parts.Time,
                Logger = _parts.SessionLogger,
                AccessLog = access,
                TransferLog = transfers,
            });
        }
        _made.Servers = servers.ToImmutable();
        _made.Pools = pools.ToImmutable();
        _made.Groups = [.. groups.Values];
        BuildMonitors();
    }

    /// <summary>The table of the ports that servers connect to: one a server block, as large as its range.</summary>
    private static ZoneConfig UpstreamZone(ServerConfig config)
    {
        var (first, last) = config.Data.UpstreamPorts;
        return new ZoneConfig(config.Zone.Name + " (servers)", 65536L * ZoneConfig.LeaseSize, ProxyAddressConfig.Auto, first, last);
    }

    private AnnouncedAddresses Announced(ServerConfig config) =>
        new([.. config.ProxyAddresses.Select(l => (l.Clients, AddressOf(l.Address)))], AddressOf(config.Zone.ProxyAddress));

    private IPAddress? AddressOf(ProxyAddressConfig address) => address.Name is { } name ? _announced[name] : address.Address;

    private ReloadingTlsContext? Tls(Func<List<ConfigDiagnostic>, ReloadingTlsContext?> create)
    {
        var found = new List<ConfigDiagnostic>();
        var context = create(found);
        Take(found);
        if (context is not null)
            _made.TlsContexts.Add(context);
        return context;
    }

    /// <summary>Tells what was found in a file that the configuration names.</summary>
    private void Take(List<ConfigDiagnostic> found)
    {
        foreach (var finding in found)
        {
            if (finding.Severity == ConfigSeverity.Error)
                _errors.Add($"{finding.Position}: {finding.Message}");
            else if (finding.Severity == ConfigSeverity.Warning)
                Log.TlsWarning(_parts.Logger, finding.Position, finding.Message);
        }
    }

    private static TlsPeerName PeerName(ServerConfig config, UpstreamConfig upstream)
    {
        // As nginx: the host of proxy_pass, be it the name of an upstream block.
        return RoutePlace.PeerNameOf(config, upstream.Servers is [var only] && only.Text == upstream.Name ? only.Host : upstream.Name);
    }

    private TransferLog? OpenTransferLog(TransferLogConfig line)
    {
        var isJson = line.Format == TransferLogFormat.Json;
        return OpenLog(line.Path, isJson ? LogSyntax.Json : LogSyntax.Text) is { } file ? new TransferLog(file, _parts.Time, isJson) : null;
    }

    private void BindListeners()
    {
        foreach (var listen in _config.Servers.SelectMany(static s => s.Listens))
        {
            ControlListener? listener = null;
            if (_previous?.Listeners.TryGetValue(listen.EndPoint, out listener) != true)
            {
                listener = ControlListener.TryOpen(listen.EndPoint, listen.Backlog, _parts.Time, _parts.Logger, out var error);
                if (listener is null)
                {
                    _errors.Add(Sentence(listen, error));
                    continue;
                }
                _newListeners.Add(listener);
            }
            if (!_made.Listeners.TryAdd(listen.EndPoint, listener!))
                _errors.Add($"two servers listen on {listen.EndPoint}");
        }
    }

    private static string Sentence(ListenConfig listen, SocketError error)
    {
        var place = listen.Position == default ? "" : $"{listen.Position}: ";
        return $"{place}cannot listen on {listen.EndPoint}: {Reason(error)}";
    }

    private static string Reason(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "the port is in use; is another server running?",
        SocketError.AccessDenied => "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE",
        SocketError.AddressNotAvailable => "this machine has no such address",
        _ => error.ToString(),
    };

    private static partial class Log
    {
        [LoggerMessage(530, LogLevel.Warning, "{Position}: {Message}")]
        public static partial void Unresolved(ILogger logger, ConfigPosition position, string message);

        [LoggerMessage(522, LogLevel.Warning, "{Position}: {Message}")]
        public static partial void TlsWarning(ILogger logger, ConfigPosition position, string message);
    }
}
