using System.Collections.Immutable;
using System.Linq;
using Ferry.Config;
using Ferry.Transport.Linux;
using Microsoft.Extensions.Logging;

namespace Ferry.Transport.Tls;

/// <summary>A context that follows its files: a certificate, key, list or authority that is replaced on disk is in force a few seconds later.</summary>
/// <remarks>A session takes <see cref="Current"/> once and keeps it for its data connections, or their tickets would not be known. What nobody holds any more is collected.</remarks>
internal sealed partial class ReloadingTlsContext : IDisposable
{
    /// <summary>Two looks that see the same change are taken for its end.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Func<List<ConfigDiagnostic>, TlsContext?> _create;
    private readonly ImmutableArray<string> _files;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private ImmutableArray<FileStamp> _loaded;
    private ImmutableArray<FileStamp> _seen;
    private long _lastLook;
    private volatile TlsContext _current;
    private volatile bool _isDisposed;

    private ReloadingTlsContext(
        Func<List<ConfigDiagnostic>, TlsContext?> create, TlsContext first, ImmutableArray<string> files, ImmutableArray<FileStamp> stamps, TimeProvider time, ILogger logger)
    {
        _create = create;
        _current = first;
        _files = files;
        _loaded = _seen = stamps;
        _time = time;
        _logger = logger;
        _lastLook = time.GetTimestamp();
    }

    /// <summary>What new sessions take.</summary>
    public TlsContext Current => _current;

    /// <summary>The look at the files that was begun last.</summary>
    public Task Looking { get; private set; } = Task.CompletedTask;

    /// <inheritdoc cref="TlsContext.TryCreate(ClientTlsConfig, string, List{ConfigDiagnostic}, TimeProvider?)"/>
    /// <param name="logger">Where a change, and what stands against it, is told.</param>
#pragma warning disable CS1573 // the others are inherited
    public static ReloadingTlsContext? TryCreate(ClientTlsConfig config, string name, List<ConfigDiagnostic> findings, TimeProvider time, ILogger logger)
    {
        PlacedText?[] files =
        [
            .. config.Certificates.SelectMany(static c => new[] { c.CertificateFile, c.KeyFile }),
            .. config.TicketKeyFiles,
            config.PasswordFile, config.DhParamFile, config.ClientCertificateFile, config.TrustedCertificateFile, config.CrlFile,
        ];
        return TryCreate(f => TlsContext.TryCreate(config, name, f, time), files, findings, time, logger);
    }

    /// <inheritdoc cref="TlsContext.TryCreate(UpstreamTlsConfig, List{ConfigDiagnostic}, TimeProvider?)"/>
    /// <param name="logger">Where a change, and what stands against it, is told.</param>
    public static ReloadingTlsContext? TryCreate(UpstreamTlsConfig config, List<ConfigDiagnostic> findings, TimeProvider time, ILogger logger)
    {
        PlacedText?[] files = [config.Certificate?.CertificateFile, config.Certificate?.KeyFile, config.PasswordFile, config.TrustedCertificateFile, config.CrlFile];
        return TryCreate(f => TlsContext.TryCreate(config, f, time), files, findings, time, logger);
    }
#pragma warning restore CS1573

    /// <summary>Looks at the files from time to time, on a thread of its own: they may lie far away.</summary>
    public void Sweep(long now)
    {
        if (_files.IsEmpty || _time.GetElapsedTime(_lastLook, now) < Interval || !Looking.IsCompleted)
            return;
        _lastLook = now;
        Looking = Task.Run(Look);
    }

    public void Dispose()
    {
        _isDisposed = true;
        _current.Dispose();
    }

    private static ReloadingTlsContext? TryCreate(
        Func<List<ConfigDiagnostic>, TlsContext?> create, PlacedText?[] files, List<ConfigDiagnostic> findings, TimeProvider time, ILogger logger)
    {
        ImmutableArray<string> paths = [.. files.OfType<PlacedText>().Select(static f => f.Value).Distinct(StringComparer.Ordinal)];
        // Before they are read: what changes meanwhile is read again.
        var stamps = Stamp(paths);
        return create(findings) is { } first ? new ReloadingTlsContext(create, first, paths, stamps, time, logger) : null;
    }

    private static ImmutableArray<FileStamp> Stamp(ImmutableArray<string> files) => [.. files.Select(Libc.Stamp)];

    private void Look()
    {
        try
        {
            var stamps = Stamp(_files);
            var isSettled = stamps.SequenceEqual(_seen);
            _seen = stamps;
            if (isSettled && !stamps.SequenceEqual(_loaded) && !_isDisposed)
                Load(stamps);
        }
        catch (Exception e)
        {
            Log.LookFailed(_logger, e); // the files in force stay so
        }
    }

    private void Load(ImmutableArray<FileStamp> stamps)
    {
        // Whatever comes out, these files are not tried again.
        _loaded = stamps;
        var findings = new List<ConfigDiagnostic>();
        var made = _create(findings);
        if (made is null)
        {
            foreach (var finding in findings.Where(static f => f.Severity == ConfigSeverity.Error))
                Log.NotReplaced(_logger, $"{finding.Position}: {finding.Message}");
            return;
        }
        _current = made;
        foreach (var finding in findings.Where(static f => f.Severity == ConfigSeverity.Warning))
            Log.Doubtful(_logger, $"{finding.Position}: {finding.Message}");
        Log.Replaced(_logger, string.Join(", ", _files), made.Expires);
    }

    private static partial class Log
    {
        [LoggerMessage(150, LogLevel.Information, "TLS files have changed, and are in force for new sessions: {Files}; the first certificate expires {Expires:u}")]
        public static partial void Replaced(ILogger logger, string files, DateTimeOffset? expires);

        [LoggerMessage(151, LogLevel.Warning, "TLS files have changed and cannot be used; those before stay in force: {Reason}")]
        public static partial void NotReplaced(ILogger logger, string reason);

        [LoggerMessage(152, LogLevel.Warning, "{Finding}")]
        public static partial void Doubtful(ILogger logger, string finding);

        [LoggerMessage(153, LogLevel.Error, "a look at the TLS files failed; this is a fault of Ferry's")]
        public static partial void LookFailed(ILogger logger, Exception exception);
    }
}
