using System.Diagnostics.Metrics;
using System.Linq;
using Ferry.Telemetry;

namespace Ferry.Tests.Telemetry;

public sealed class FerryMetricsTests
{
    [Fact]
    public void Events_are_counted_with_their_tags()
    {
        using var metrics = new FerryMetrics();
        using var seen = new Listener(metrics);
        metrics.SessionStarted();
        metrics.SessionStarted();
        metrics.SessionEnded("client_quit", TimeSpan.FromSeconds(2));
        metrics.TransferStarted();
        metrics.TransferStarted();
        metrics.TransferEnded(TransferDirection.Download, "complete", TimeSpan.FromSeconds(0.5), 4096);
        metrics.PortLeased();
        metrics.PortLeased();
        metrics.PortReturned();
        metrics.PortsExhausted();
        metrics.UpstreamConnectFailed("ftp1:21");
        metrics.ClientRejected("denied");
        metrics.RouteLookedUp("service", "found", TimeSpan.FromSeconds(0.25));
        metrics.RouteLookedUp("cache", "unknown");
        metrics.TlsHandshake(client: true, data: false, "full");
        metrics.TlsHandshake(client: false, data: true, "resumed");
        metrics.TlsTruncated(client: true);
        metrics.TlsTruncated(client: false);
        Assert.Equal(
            [
                "ferry.ports.exhausted 1",
                "ferry.ports.used 1",
                "ferry.rejected 1 reason=denied",
                "ferry.route.duration 0.25",
                "ferry.route.lookups 1 source=cache result=unknown",
                "ferry.route.lookups 1 source=service result=found",
                "ferry.session.duration 2",
                "ferry.sessions 1",
                "ferry.sessions.total 1 end_reason=client_quit",
                "ferry.tls.handshakes 1 side=client channel=control result=full",
                "ferry.tls.handshakes 1 side=upstream channel=data result=resumed",
                "ferry.tls.truncations 1 side=client",
                "ferry.tls.truncations 1 side=upstream",
                "ferry.transfer.bytes 4096 direction=download",
                "ferry.transfer.duration 0.5 direction=download",
                "ferry.transfers 1",
                "ferry.transfers.total 1 direction=download outcome=complete",
                "ferry.upstream.connect.failures 1 server=ftp1:21",
            ],
            seen.Read());
    }

    [Fact]
    public void A_listener_that_comes_late_sees_the_levels_as_they_are()
    {
        using var metrics = new FerryMetrics();
        metrics.SessionStarted();
        metrics.TransferStarted();
        metrics.PortLeased();
        using var seen = new Listener(metrics);
        Assert.Equal(["ferry.ports.used 1", "ferry.sessions 1", "ferry.transfers 1"], seen.Read());
    }

    [Fact]
    public void Each_proxy_counts_for_itself()
    {
        using var one = new FerryMetrics();
        using var other = new FerryMetrics();
        one.SessionStarted();
        other.SessionStarted();
        other.SessionStarted();
        Assert.Equal((1, 2), (one.ActiveSessions, other.ActiveSessions));
    }

    [Fact]
    public void Counting_allocates_nothing_while_nobody_listens()
    {
        using var metrics = new FerryMetrics();
        CountAll(metrics);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            CountAll(metrics);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);
    }

    private static void CountAll(FerryMetrics metrics)
    {
        metrics.SessionStarted();
        metrics.TransferStarted();
        metrics.TransferEnded(TransferDirection.Upload, "complete", TimeSpan.FromSeconds(1), 10);
        metrics.SessionEnded("client_quit", TimeSpan.FromSeconds(1));
        metrics.UpstreamConnectFailed("ftp1:21");
        metrics.ClientRejected("denied");
        metrics.TlsHandshake(client: true, data: true, "failed");
        metrics.TlsTruncated(client: true);
    }

    private sealed class Listener : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly List<string> _seen = [];

        public Listener(FerryMetrics metrics)
        {
            // Tests run side by side, and every proxy's meter has the same name: the object tells them apart.
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (metrics.Owns(instrument.Meter))
                    listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
            _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
            _listener.Start();
        }

        public IEnumerable<string> Read()
        {
            _listener.RecordObservableInstruments();
            return _seen.Order(StringComparer.Ordinal);
        }

        public void Dispose() => _listener.Dispose();

        private void Add(Instrument instrument, IFormattable value, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            _seen.Add(string.Join(' ', [instrument.Name, value.ToString(null, System.Globalization.CultureInfo.InvariantCulture), .. tags.ToArray().Select(t => $"{t.Key}={t.Value}")]));
    }
}
